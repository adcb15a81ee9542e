//! Whether a licence expression (SPDX, with the old `/` for OR) can be met by licences we accept.
//! Which those are belongs to `licences`.

/// An error tells what in the expression is not understood.
pub(crate) fn is_met(expression: &str, accepts: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let words = words(expression);
    let mut parser = Parser { words: &words, accepts };
    let met = parser.any()?;
    match parser.words {
        [] => Ok(met),
        [word, ..] => Err(format!("`{word}` in `{expression}`")),
    }
}

fn words(expression: &str) -> Vec<String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

struct Parser<'a> {
    words: &'a [String],
    accepts: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut met = self.all()?;
        while self.take("OR") {
            met |= self.all()?;
        }
        Ok(met)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let met = self.any()?;
            return if self.take(")") { Ok(met) } else { Err("a `(` that is not closed".to_owned()) };
        }
        let id = self.id()?;
        if self.take("WITH") {
            let exception = self.id()?;
            return Ok((self.accepts)(&format!("{id} WITH {exception}")));
        }
        Ok((self.accepts)(&id))
    }

    fn id(&mut self) -> Result<String, String> {
        match self.words {
            [word, rest @ ..] if !["(", ")", "OR", "AND", "WITH"].contains(&word.as_str()) => {
                self.words = rest;
                Ok(word.clone())
            }
            [word, ..] => Err(format!("`{word}` where a licence should be")),
            [] => Err("it ends where a licence should be".to_owned()),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let taken = self.words.first().is_some_and(|first| first == word);
        if taken {
            self.words = &self.words[1..];
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn expressions() {
        let accepts = |id: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&id);
        for (expression, met) in [
            ("MIT", Ok(true)),
            ("GPL-3.0", Ok(false)),
            ("GPL-3.0 OR MIT", Ok(true)),
            ("GPL-3.0/MIT", Ok(true)),
            ("GPL-3.0 AND MIT", Ok(false)),
            ("MIT AND (GPL-3.0 OR ISC)", Ok(true)),
            ("MIT AND GPL-3.0 OR ISC", Ok(true)),
            ("(MIT OR ISC) AND GPL-3.0", Ok(false)),
            ("Apache-2.0 WITH LLVM-exception", Ok(true)),
            ("Apache-2.0", Ok(false)),
            ("(MIT", Err("a `(` that is not closed")),
            ("MIT OR", Err("it ends where a licence should be")),
            ("AND MIT", Err("`AND` where a licence should be")),
            ("MIT ISC", Err("`ISC` in `MIT ISC`")),
            ("", Err("it ends where a licence should be")),
        ] {
            assert_eq!(is_met(expression, &accepts), met.map_err(str::to_owned), "{expression}");
        }
    }
}
