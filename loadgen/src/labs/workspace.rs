//! The workspace whose rows a laboratory reads or writes.

use sqlx::PgConnection;
use uuid::Uuid;

/// Why there is no workspace to work in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoWorkspace {
    /// Nobody has that name.
    #[error("there is no workspace `{0}` in the database; name another one with --workspace")]
    Unknown(String),
    /// The database did not answer.
    #[error(
        "the database can't be asked for its workspaces: {0}; check the URL and that the schema is there"
    )]
    Database(#[from] sqlx::Error),
}

/// The id of a workspace by its slug, or by its UUID, however that is written in capitals.
pub async fn workspace(connection: &mut PgConnection, name: &str) -> Result<Uuid, NoWorkspace> {
    sqlx::query_scalar(
        "SELECT /* callbench probe */ id FROM workspace WHERE slug = $1 OR id::text = lower($1)",
    )
    .bind(name)
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| NoWorkspace::Unknown(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_workspace_is_found_by_its_slug_and_by_its_id_in_capitals_or_not() {
        let database = cluster::testing::database("lab_workspace").await;
        let mut connection = crate::probes::connect(database.url()).await.unwrap();
        let id = Uuid::from_u128(0xabcd_ef01_2345_6789_abcd_ef01_2345_6789);
        sqlx::raw_sql("CREATE TABLE workspace (id uuid PRIMARY KEY, slug text)")
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query("INSERT INTO workspace VALUES ($1, 'acme')")
            .bind(id)
            .execute(&mut connection)
            .await
            .unwrap();
        for name in ["acme", &id.to_string(), &id.to_string().to_uppercase()] {
            assert_eq!(workspace(&mut connection, name).await.unwrap(), id, "{name}");
        }
        let told = workspace(&mut connection, "acne").await.unwrap_err().to_string();
        assert!(told.contains("no workspace `acne`") && told.contains("--workspace"), "{told}");
    }
}
