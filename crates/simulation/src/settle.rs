//! The judge at quiescence: each order that the shop has against what the target has.

use crate::evidence::{Exempt, Expected, Outage};
use crate::judge::Judge;
use crate::target::Target;

impl Judge {
    /// At quiescence: each order the shop has against what the target has.
    pub fn settle(&mut self, expected: &[Expected], target: &Target, outage: Option<Outage>) {
        for order in expected {
            let found: Vec<_> = target.objects.iter().filter(|object| object.key == order.key).collect();
            match (found.as_slice(), order.exempt) {
                ([], Exempt::No) => self.violated(6, format!("{}: lost: {}", order.key, order.told)),
                ([], _) | ([_], Exempt::Refused) => {}
                ([one], _) => {
                    if one.cancelled != order.cancelled {
                        self.violated(
                            6,
                            format!(
                                "{}: cancelled is {} and should be {}: {}",
                                order.key, one.cancelled, order.cancelled, order.told
                            ),
                        );
                    }
                    let as_it_is =
                        one.content["quantity"] == order.quantity && one.content["address"] == order.address;
                    if !order.cancelled && one.content["content"] != order.content && !as_it_is {
                        self.violated(
                            6,
                            format!(
                                "{}: has content {} and should have {}: {}",
                                order.key, one.content["content"], order.content, order.told
                            ),
                        );
                    }
                    if !order.cancelled && !one.confirmed {
                        self.violated(6, format!("{}: never confirmed: {}", order.key, order.told));
                    }
                }
                (many, _) => {
                    // A target that carries out later than it declares may double; then it has to be told of.
                    if !self.late.contains(&order.key) {
                        self.violated(3, format!("{}: {} objects", order.key, many.len()));
                    } else if !order.told_of_many {
                        let text = format!("{}: {} objects, and nobody was told", order.key, many.len());
                        self.violated(3, text);
                    } else {
                        continue;
                    }
                }
            }
            if order.dead && order.exempt == Exempt::No {
                self.violated(
                    6,
                    format!("{}: a dead letter without a cause of its own: {}", order.key, order.told),
                );
            }
        }
        if let Some(outage) = outage {
            let bound = outage.bound();
            if self.calls_in_outage > bound {
                let text = format!(
                    "{} calls to a target that was down for {} s (at most {bound})",
                    self.calls_in_outage, outage.seconds
                );
                self.violated(7, text);
            }
        }
    }
}
