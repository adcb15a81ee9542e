//! The same carts out of what a team would otherwise keep prices in: PostgreSQL with the index that fits the question, and Redis
//! with a hash for each list. Both are asked for the bare prices alone, each cart in one round trip over a kept connection, and
//! know no rules, units, rounding or history; beside them, in the same run, the ten rules in this process.

use super::floor::{self, Took};
use super::world::{Cart, World};
use super::{ALONE, Built, build, figure};
use crate::bench::Bench;
use crate::bench::clock::now;
use crate::bench::figure::Figure;
use crate::bench::peer::redis_script;
use crate::bench::pg::Server;
use crate::bench::service::Service;
use anyhow::{Context as _, ensure};
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

const ROUNDS: usize = 2;
/// More of them take longer to load than anyone waits; what a cart costs grows by the height of a tree.
const MOST: u64 = 10_000_000;
/// Fields of one command while Redis is filled.
const FILLED_AT_ONCE: u64 = 512;

/// Of the same carts: what each costs.
struct Kept {
    took: Took,
    bytes_a_price: f64,
    filled_s: f64,
}

pub async fn measure(bench: &Bench, prices: u64) -> anyhow::Result<Vec<Figure>> {
    let world = Arc::new(World::of(prices.min(MOST)));
    let folder = bench.folder.join("prices-beside");
    // Of a run that broke off.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    bench.tell(&format!("{} contract prices, in this process", world.prices()));
    let (of, to) = (world.clone(), folder.clone());
    let ours = tokio::task::spawn_blocking(move || build(&to, &of)).await??;
    let carts: Vec<Cart> = (0..ALONE as u64).map(|cart| world.cart(cart, false)).collect();
    // What each cart comes to there is the same, or nothing is told.
    let sums: Vec<u64> = carts.iter().map(|cart| floor::cents(&world, cart)).collect();

    bench.tell("the same in PostgreSQL");
    let postgres = postgres(bench, &world, &folder, &carts, &sums).await?;
    bench.tell("the same in Redis");
    let redis = redis(&folder, &world, &carts, &sums).await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(figures(&world, &ours, &postgres, &redis))
}

fn figures(world: &World, ours: &Built, postgres: &Kept, redis: &Kept) -> Vec<Figure> {
    let mut figures = vec![
        figure("beside peers: a cart in bare sorted arrays", ours.bare.p50, "µs").note(format!(
            "p99 {:.0}; {} prices",
            ours.bare.p99,
            world.prices()
        )),
        figure("beside peers: a cart by the ten rules, in process", ours.resolved.p50, "µs")
            .note(format!("p99 {:.0}", ours.resolved.p99)),
    ];
    for (name, kept) in [("PostgreSQL, one statement", postgres), ("Redis, one pipeline", redis)] {
        figures.push(figure(format!("{name} a cart"), kept.took.p50, "µs").note(format!(
            "p99 {:.0}; {:.1} of ours; filled in {:.0} s",
            kept.took.p99,
            kept.took.p50 / ours.resolved.p50,
            kept.filled_s
        )));
        let what = name.split(',').next().unwrap_or(name);
        figures.push(figure(format!("{what}, a price"), kept.bytes_a_price, "bytes"));
    }
    figures
}

/// The nearest list that has the SKU, and of its tiers the one that the quantity reaches.
const ASK: &str = "SELECT coalesce(sum(p.cents), 0)::bigint \
     FROM unnest($1::text[]) AS line(sku) \
     CROSS JOIN LATERAL (SELECT k.cents FROM unnest($2::int[]) WITH ORDINALITY AS near(list, place) \
     JOIN prices k ON k.list = near.list AND k.sku = line.sku AND k.minimum = 1 ORDER BY near.place LIMIT 1) p";

async fn postgres(
    bench: &Bench,
    world: &Arc<World>,
    folder: &Path,
    carts: &[Cart],
    sums: &[u64],
) -> anyhow::Result<Kept> {
    let server = Server::start(bench).await?;
    let begun = now();
    let client = server.open("prices").await?;
    client
        .batch_execute("CREATE TABLE prices (list int NOT NULL, sku text NOT NULL, minimum int NOT NULL, cents int NOT NULL)")
        .await?;
    let (file, of) = (folder.join("prices.tsv"), world.clone());
    let written = file.clone();
    tokio::task::spawn_blocking(move || write_rows(&of, &written)).await??;
    client.batch_execute(&format!("COPY prices FROM '{}'", file.display())).await?;
    std::fs::remove_file(&file)?;
    // All that is asked is in the index: no row is fetched.
    client.batch_execute("CREATE UNIQUE INDEX ON prices (list, sku, minimum) INCLUDE (cents)").await?;
    client.batch_execute("VACUUM ANALYZE prices").await?;
    let filled_s = begun.elapsed().as_secs_f64();
    let size = client.query_one("SELECT pg_total_relation_size('prices')", &[]).await?.get::<_, i64>(0);
    let ask = client.prepare(ASK).await?;
    let mut nanos = Vec::new();
    for _ in 0..ROUNDS {
        for (cart, sum) in carts.iter().zip(sums) {
            let skus: Vec<&str> = cart.lines.iter().map(|(sku, _)| sku.as_str()).collect();
            let lists: Vec<i32> = cart.lists.iter().map(|list| i32::try_from(*list).unwrap_or(0)).collect();
            let begun = now();
            let said: i64 = client.query_one(&ask, &[&skus, &lists]).await?.get(0);
            nanos.push(begun.elapsed().as_nanos());
            ensure!(u64::try_from(said) == Ok(*sum), "PostgreSQL says {said} where {sum} is right");
        }
    }
    drop(client);
    server.stop().await?;
    Ok(Kept { took: floor::took(nanos), bytes_a_price: size as f64 / world.prices() as f64, filled_s })
}

fn write_rows(world: &World, path: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::create(path).with_context(|| format!("{} cannot be made", path.display()))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    for at in 0..world.prices() {
        let (list, sku, tiers) = world.row(at);
        for (minimum, cents) in tiers {
            writeln!(out, "{list}\t{sku}\t{minimum}\t{cents}")?;
        }
    }
    Ok(out.flush()?)
}

async fn redis(folder: &Path, world: &World, carts: &[Cart], sums: &[u64]) -> anyhow::Result<Kept> {
    let service = Service::start(&redis_script()?, &folder.join("redis")).await?;
    let setting = |name: &str| service.setting(name).with_context(|| format!("redis.sh prints no {name}"));
    let address = format!("{}:{}", setting("REDIS_HOST")?, setting("REDIS_PORT")?);
    let mut redis = Redis(BufStream::with_capacity(1 << 20, 1 << 20, TcpStream::connect(address).await?));
    redis.0.get_ref().set_nodelay(true)?;
    redis.say(&["AUTH", setting("REDIS_PASSWORD")?]).await?;
    // As fast as it can be: nothing of it has to survive.
    redis.say(&["CONFIG", "SET", "appendonly", "no"]).await?;
    redis.0.flush().await?;
    redis.heard(2).await?;
    let begun = now();
    let mut at = 0;
    while at < world.prices() {
        let list = world.row(at).0.to_string();
        let mut command = vec!["HSET".to_owned(), list.clone()];
        while at < world.prices() && command.len() as u64 <= FILLED_AT_ONCE * 2 {
            let (of, sku, tiers) = world.row(at);
            if of.to_string() != list {
                break;
            }
            let mut value = String::new();
            for (minimum, cents) in tiers {
                // Writing to a String cannot fail.
                let _ = write!(value, "{}{minimum}:{cents}", if value.is_empty() { "" } else { ";" });
            }
            command.extend([sku.to_owned(), value]);
            at += 1;
        }
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        redis.say(&command).await?;
        redis.0.flush().await?;
        redis.heard(1).await?;
    }
    let filled_s = begun.elapsed().as_secs_f64();
    let bytes = redis.used_bytes().await?;
    let mut nanos = Vec::new();
    for _ in 0..ROUNDS {
        for (cart, sum) in carts.iter().zip(sums) {
            let lists: Vec<String> = cart.lists.iter().map(ToString::to_string).collect();
            let begun = now();
            let said = redis.cart(&lists, cart).await?;
            nanos.push(begun.elapsed().as_nanos());
            ensure!(said == *sum, "Redis says {said} where {sum} is right");
        }
    }
    service.stop().await?;
    Ok(Kept { took: floor::took(nanos), bytes_a_price: bytes as f64 / world.prices() as f64, filled_s })
}

/// As much of its protocol as the question needs (RESP2).
struct Redis(BufStream<TcpStream>);

impl Redis {
    async fn say(&mut self, words: &[&str]) -> anyhow::Result<()> {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(text, "${}\r\n{word}\r\n", word.len());
        }
        Ok(self.0.write_all(text.as_bytes()).await?)
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let line = line.trim_end();
        ensure!(!line.is_empty() && !line.starts_with('-'), "Redis says {line:?}");
        Ok(line.to_owned())
    }

    /// So many answers of one line.
    async fn heard(&mut self, answers: usize) -> anyhow::Result<()> {
        for _ in 0..answers {
            self.line().await?;
        }
        Ok(())
    }

    /// None: there is no such thing.
    async fn text(&mut self) -> anyhow::Result<Option<String>> {
        let Ok(length) = self.line().await?.trim_start_matches('$').parse::<usize>() else { return Ok(None) };
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(Some(String::from_utf8(bytes)?))
    }

    async fn used_bytes(&mut self) -> anyhow::Result<u64> {
        self.say(&["INFO", "memory"]).await?;
        self.0.flush().await?;
        let text = self.text().await?.unwrap_or_default();
        let used = text.lines().find_map(|line| line.trim_end().strip_prefix("used_memory:"));
        Ok(used.context("Redis does not say what it uses")?.parse()?)
    }

    /// One way there and back: each list is asked for every line, and the nearest that has it counts.
    async fn cart(&mut self, lists: &[String], cart: &Cart) -> anyhow::Result<u64> {
        for list in lists {
            let skus = cart.lines.iter().map(|(sku, _)| sku.as_str());
            let words: Vec<&str> = ["HMGET", list.as_str()].into_iter().chain(skus).collect();
            self.say(&words).await?;
        }
        self.0.flush().await?;
        let mut found: Vec<Option<u64>> = vec![None; cart.lines.len()];
        for _ in lists {
            self.line().await?;
            for line in &mut found {
                let Some(tiers) = self.text().await? else { continue };
                let single = tiers.split([':', ';']).nth(1).and_then(|cents| cents.parse().ok());
                *line = line.or(single);
            }
        }
        Ok(found.into_iter().flatten().sum())
    }
}
