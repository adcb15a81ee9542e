//! A schema of its own in a PostgreSQL that is there, for as long as a play lasts.

use anyhow::Context as _;
use store::seal::Random as _;
use tokio_postgres::NoTls;

/// How to get one, for who has none.
const HELP: &str = "name a PostgreSQL that may be written to: --postgres-url postgres://user:password@127.0.0.1/database, or \
     POSTGRES_URL in the environment. `cargo xtask services ensure postgres` starts one for development and prints its lines";

/// Where the nodes of a play keep their store.
#[derive(Debug)]
pub struct Database {
    server: String,
    schema: String,
}

impl Database {
    /// Makes the schema. It speaks no TLS: a play's PostgreSQL is near.
    ///
    /// # Errors
    /// None was named, or it cannot be written to.
    pub async fn new(server: Option<&str>) -> anyhow::Result<Self> {
        let server = server.context(HELP)?.to_owned();
        let mut chance = [0; 6];
        crate::wiring::clock::SystemRandom.fill(&mut chance)?;
        let database = Self { server, schema: format!("tidegate_demo_{}", kernel::key::hex(&chance)) };
        database.order(&format!("CREATE SCHEMA {}", database.schema)).await.context(HELP)?;
        Ok(database)
    }

    /// The address within which there is this schema alone.
    pub fn url(&self) -> String {
        let joint = if self.server.contains('?') { '&' } else { '?' };
        let (schema, name) = (&self.schema, self.application());
        format!("{}{joint}options=-csearch_path%3D{schema}&application_name={name}", self.server)
    }

    /// Cuts every connection that works in this schema, as a fail-over or an administrator does (57P01). Returns how many.
    pub async fn cut(&self) -> anyhow::Result<u32> {
        let (client, connection) = tokio_postgres::connect(&self.server, NoTls).await?;
        let driven = tokio::spawn(connection);
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        let cut = client.query_one(sql, &[&self.application()]).await.map(|row| row.get::<_, i64>(0));
        drop(client);
        let _ = driven.await;
        Ok(u32::try_from(cut?)?)
    }

    /// By which the server tells this play's connections from others'.
    fn application(&self) -> &str {
        &self.schema
    }

    /// Drops it with all that is in it.
    pub async fn drop(self) -> anyhow::Result<()> {
        self.order(&format!("DROP SCHEMA {} CASCADE", self.schema)).await
    }

    async fn order(&self, sql: &str) -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.server, NoTls).await?;
        let driven = tokio::spawn(connection);
        let done = client.batch_execute(sql).await;
        drop(client);
        // It has ended; how does not matter once the order was answered.
        let _ = driven.await;
        Ok(done?)
    }
}
