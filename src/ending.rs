//! The end of a piece of work that has to be cleaned up after, however it ended.

/// What came of it; or why it failed, which is told before why the cleaning up did.
pub(crate) fn first_failure<T>(outcome: anyhow::Result<T>, cleaned: anyhow::Result<()>) -> anyhow::Result<T> {
    match (outcome, cleaned) {
        (Ok(value), cleaned) => cleaned.map(|()| value),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(also)) => {
            eprintln!("warning: {also:#}");
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn why_it_failed_is_told_before_why_the_cleaning_up_did() {
        let told = |outcome: anyhow::Result<u8>, cleaned| {
            first_failure(outcome, cleaned).map_err(|error| error.to_string())
        };
        let (failed, left) = (|| Err(anyhow!("failed")), || Err(anyhow!("left")));
        assert_eq!(told(Ok(7), Ok(())), Ok(7));
        assert_eq!(told(failed(), Ok(())), Err("failed".to_owned()));
        assert_eq!(told(Ok(7), left()), Err("left".to_owned()));
        assert_eq!(told(failed(), left()), Err("failed".to_owned()));
    }
}
