//! The values of a statement that is put together from parts, each under the number by which its part names it.

use sqlx::postgres::{PgArguments, Postgres};
use sqlx::{Arguments as _, Encode, Error, Type};

/// Values in the order of their numbers.
#[derive(Default)]
pub(crate) struct Values {
    arguments: PgArguments,
    count: usize,
}

impl Values {
    /// Keeps a value for the statement and says how its text names it: `$1` for the first.
    pub(crate) fn bind<'q, T>(&mut self, value: T) -> Result<String, Error>
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        self.arguments.add(value).map_err(Error::Encode)?;
        self.count += 1;
        Ok(format!("${}", self.count))
    }

    /// All values, for the statement.
    pub(crate) fn into_arguments(self) -> PgArguments {
        self.arguments
    }
}
