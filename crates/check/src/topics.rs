//! The topics that a flow names: known, of its domain, and from Shopify.

use crate::judge::{Judge, is_shopify};
use config::{Code, nearest};

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows() {
        let Some(topics) = &flow.topics else { continue };
        let key = format!("flows.{name}.topics");
        if !is_shopify(&flow.source.value) {
            let message = format!("topics are Shopify's, and the source is {}", flow.source.as_str());
            judge.finding(Code::UnknownTopic, &topics.origin, key, message, "take the line out");
            continue;
        }
        let domain = flow.domain.as_str();
        let of_domain = judge
            .inputs
            .topics
            .iter()
            .filter(|(_, facts)| facts.domain == domain)
            .map(|(topic, _)| topic.as_str());
        for topic in topics.iter() {
            let (message, help) = match judge.inputs.topics.get(&topic.value) {
                Some(facts) if facts.domain == domain => continue,
                Some(facts) => (
                    format!("{} is a topic of {}, not of {domain}", topic.value, facts.domain),
                    format!("name it in a flow of {}, or take it out", facts.domain),
                ),
                None => (
                    format!("{:?} is not a topic", topic.value),
                    match nearest(topic, of_domain.clone()) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!(
                            "the topics of {domain} are {}",
                            of_domain.clone().collect::<Vec<_>>().join(", ")
                        ),
                    },
                ),
            };
            judge.finding(Code::UnknownTopic, &topic.origin, &key, message, help);
        }
    }
}
