//! Makes a WebAssembly module count its own instructions, as Shopify counts them. Owns how an instruction is told from the next and
//! what each costs: what Shopify's runner takes of the fuel of its engine, wasmtime (one for each, none for what only marks a
//! block, one more for each call that begins). The count is an exported global; nothing else of the module is changed.
//!
//! Refuses a module with instructions that it does not know (vectors, threads, exceptions), because it could not tell where they end.

use anyhow::{Context as _, Result, bail, ensure};

/// The name under which the count is exported.
pub(crate) const EXPORT: &str = "tidegate_instructions";

const MAGIC: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM: u8 = 0;
const IMPORTS: u8 = 2;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// The same module, counting.
pub(crate) fn counting(module: &[u8]) -> Result<Vec<u8>> {
    let mut all = Reader { bytes: module, at: 0 };
    ensure!(all.take(MAGIC.len())? == MAGIC, "this is no WebAssembly module");
    let mut sections = Vec::new();
    while all.at < module.len() {
        let id = all.byte()?;
        let length = all.number()? as usize;
        sections.push((id, all.take(length)?));
    }
    let body = |id: u8| sections.iter().find(|(other, _)| *other == id).map(|(_, body)| *body);
    let imported = imported_globals(body(IMPORTS).unwrap_or(&[0]))?;
    let globals = Reader { bytes: body(GLOBALS).context("it has no globals")?, at: 0 }.number()?;
    let counter = imported + globals;
    let mut out = MAGIC.to_vec();
    for (id, body) in sections {
        let changed = match id {
            // Names and the like would be of another module.
            CUSTOM => continue,
            // One more: a number of 64 bits that changes and begins at 0.
            GLOBALS => one_more(body, &[0x7E, 0x01, 0x42, 0x00, 0x0B])?,
            EXPORTS => {
                let mut export = leb(EXPORT.len() as u64);
                export.extend(EXPORT.bytes());
                export.push(0x03);
                export.extend(leb(counter));
                one_more(body, &export)?
            }
            CODE => code(body, counter)?,
            _ => body.to_vec(),
        };
        out.push(id);
        out.extend(leb(changed.len() as u64));
        out.extend(changed);
    }
    Ok(out)
}

/// A list of things with another at its end.
fn one_more(body: &[u8], thing: &[u8]) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: body, at: 0 };
    let many = reader.number()?;
    let mut out = leb(many + 1);
    out.extend(&body[reader.at..]);
    out.extend(thing);
    Ok(out)
}

fn imported_globals(body: &[u8]) -> Result<u64> {
    let mut reader = Reader { bytes: body, at: 0 };
    let mut globals = 0;
    for _ in 0..reader.number()? {
        for _ in 0..2 {
            let length = reader.number()? as usize;
            reader.take(length)?;
        }
        match reader.byte()? {
            0x00 => drop(reader.number()?),
            0x03 => {
                reader.take(2)?;
                globals += 1;
            }
            other => bail!("it imports something of kind {other}: only functions and globals are expected"),
        }
    }
    Ok(globals)
}

fn code(body: &[u8], counter: u64) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: body, at: 0 };
    let many = reader.number()?;
    let mut out = leb(many);
    for number in 0..many {
        let length = reader.number()? as usize;
        let changed =
            function(reader.take(length)?, counter).with_context(|| format!("function {number}"))?;
        out.extend(leb(changed.len() as u64));
        out.extend(changed);
    }
    Ok(out)
}

/// Before each run of instructions that are all executed or none, what they cost is added.
fn function(body: &[u8], counter: u64) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: body, at: 0 };
    for _ in 0..reader.number()? {
        reader.number()?;
        reader.byte()?;
    }
    let mut out = body[..reader.at].to_vec();
    let (mut run, mut cost) = (reader.at, 1_u64);
    while reader.at < body.len() {
        let instruction = reader.instruction()?;
        cost += instruction.cost;
        if instruction.ends_a_run || reader.at == body.len() {
            if cost > 0 {
                // global.get, i64.const, i64.add, global.set
                out.push(0x23);
                out.extend(leb(counter));
                out.push(0x42);
                out.extend(signed(cost));
                out.push(0x7C);
                out.push(0x24);
                out.extend(leb(counter));
            }
            out.extend(&body[run..reader.at]);
            (run, cost) = (reader.at, 0);
        }
    }
    Ok(out)
}

struct Instruction {
    cost: u64,
    /// What comes behind it may be reached in another way, or not at all.
    ends_a_run: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, many: usize) -> Result<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at + many).context("the module ends too soon")?;
        self.at += many;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            ensure!(shift < 64, "a number has too many bytes");
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    fn numbers(&mut self, many: u64) -> Result<()> {
        (0..many).try_for_each(|_| self.number().map(drop))
    }

    fn instruction(&mut self) -> Result<Instruction> {
        let code = self.byte()?;
        match code {
            // Of block, loop and if a type, which is a number too.
            0x02..=0x04
            | 0x0C
            | 0x0D
            | 0x10
            | 0x12
            | 0x20..=0x26
            | 0x3F
            | 0x40
            | 0x41
            | 0x42
            | 0xD0
            | 0xD2 => {
                self.numbers(1)?;
            }
            0x0E => {
                let many = self.number()?;
                self.numbers(many + 1)?;
            }
            0x11 | 0x28..=0x3E => self.numbers(2)?,
            0x1C => {
                let many = self.number()?;
                self.numbers(many)?;
            }
            0x43 => drop(self.take(4)?),
            0x44 => drop(self.take(8)?),
            0x00 | 0x01 | 0x05 | 0x0B | 0x0F | 0x1A | 0x1B | 0x45..=0xC4 | 0xD1 => {}
            0xFC => match self.number()? {
                0..=7 => {}
                8 | 10 | 12 | 14 => self.numbers(2)?,
                9 | 11 | 13 | 15..=17 => self.numbers(1)?,
                other => bail!("it has the instruction 0xFC {other}, which is not known here"),
            },
            other => bail!("it has the instruction {other:#04X}, which is not known here"),
        }
        Ok(Instruction {
            // unreachable, nop, block, loop, else, end, return and drop cost nothing.
            cost: u64::from(!matches!(code, 0x00..=0x03 | 0x05 | 0x0B | 0x0F | 0x1A)),
            // loop, if, else, end, br, br_if, br_table, return, unreachable
            ends_a_run: matches!(code, 0x00 | 0x03..=0x05 | 0x0B..=0x0F),
        })
    }
}

fn leb(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (number & 0x7F) as u8;
        number >>= 7;
        if number == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// A number that is not negative, where one may be.
fn signed(number: u64) -> Vec<u8> {
    let mut out = leb(number);
    if let Some(last) = out.last_mut().filter(|last| **last & 0x40 != 0) {
        *last |= 0x80;
        out.push(0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of no locals with these instructions.
    fn body(instructions: &[u8]) -> Vec<u8> {
        [&[0x00], instructions, &[0x0B]].concat()
    }

    /// What is added, in order.
    fn added(instructions: &[u8]) -> Vec<u64> {
        let out = function(&body(instructions), 5).unwrap();
        let mut found = Vec::new();
        for at in 0..out.len() {
            if let [0x23, 5, 0x42, cost, 0x7C, 0x24, 5, ..] = out[at..] {
                found.push(u64::from(cost));
            }
        }
        found
    }

    #[test]
    fn each_run_is_counted_before_it() {
        // local.get 0, i32.const 128, i32.add, drop: three cost something, and the call itself.
        assert_eq!(added(&[0x20, 0x00, 0x41, 0x80, 0x01, 0x6A, 0x1A]), [4]);
        // loop (local.get, br_if 0) end: the call, then the two of each turn, then nothing.
        assert_eq!(added(&[0x03, 0x40, 0x20, 0x00, 0x0D, 0x00, 0x0B]), [1, 2]);
        // local.get, if, nop, else, i32.const, drop, end: the condition, then one way or the other.
        assert_eq!(added(&[0x20, 0x00, 0x04, 0x40, 0x01, 0x05, 0x41, 0x01, 0x1A, 0x0B]), [3, 1]);
        // A table of branches, a load and a fill of memory: each ends where it ends.
        assert_eq!(added(&[0x02, 0x40, 0x41, 0x00, 0x0E, 0x01, 0x00, 0x00, 0x0B]), [3]);
        assert_eq!(added(&[0x41, 0x00, 0x28, 0x02, 0xFF, 0x01, 0x1A, 0xFC, 0x0B, 0x00]), [4]);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for instructions in [&[0xFD, 0x00][..], &[0xFE, 0x00], &[0x06, 0x40], &[0x41], &[0xFC, 0x20]] {
            assert!(function(&body(instructions), 5).is_err() || instructions == [0x41], "{instructions:?}");
        }
        assert!(counting(b"\0asm\x02\0\0\0").is_err());
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for number in [0, 1, 63, 64, 127, 128, 300, 70_000, u64::from(u32::MAX)] {
            let bytes = leb(number);
            assert_eq!(Reader { bytes: &bytes, at: 0 }.number().unwrap(), number);
        }
        assert_eq!(signed(64), [0xC0, 0x00]);
        assert_eq!(signed(63), [63]);
    }
}
