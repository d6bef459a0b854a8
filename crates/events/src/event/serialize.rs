//! Events as serde writes them: words for kinds and reasons, RFC 3339 for the time.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Event, EventKind};
use crate::webhook::instant::written;

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_machine = match self.kind {
            EventKind::Opened { by_machine } => by_machine,
            _ => None,
        };
        let mut event = serializer.serialize_struct("Event", 24)?;
        event.serialize_field("provider", self.provider)?;
        event.serialize_field("id", &self.id)?;
        event.serialize_field("provider_event_id", &self.provider_event_id)?;
        event.serialize_field("kind", self.kind.as_str())?;
        event.serialize_field("permanence", &self.permanence().map(|permanence| permanence.as_str()))?;
        event.serialize_field("by_machine", &by_machine)?;
        event.serialize_field("provider_kind", &self.provider_kind)?;
        event.serialize_field("recipient", &self.recipient)?;
        event.serialize_field("recipient_is_guess", &self.recipient_is_guess)?;
        event.serialize_field("time", &self.time.and_then(written))?;
        event.serialize_field("provider_message_id", &self.provider_message_id)?;
        event.serialize_field("message_id", &self.message_id)?;
        event.serialize_field("tags", &self.tags)?;
        event.serialize_field("metadata", &self.metadata)?;
        event.serialize_field("reply_code", &self.reply_code())?;
        event.serialize_field("status", &self.status().map(|status| status.to_string()))?;
        event.serialize_field("diagnostic", &self.diagnostic)?;
        event.serialize_field("description", &self.description)?;
        event.serialize_field("mta", &self.mta)?;
        event.serialize_field("bounce_reason", &self.bounce_reason.map(|reason| reason.as_str()))?;
        event.serialize_field("rejection", &self.rejection.map(|reason| reason.as_str()))?;
        event.serialize_field("url", &self.url)?;
        event.serialize_field("ip", &self.ip)?;
        event.serialize_field("user_agent", &self.user_agent)?;
        event.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::bounce::Permanence;

    #[test]
    fn an_event_is_words_and_numbers() {
        let mut event = Event::new("ses", EventKind::Bounced(Permanence::Hard));
        event.time = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_522_087_139_675));
        event.set_diagnostic("550 5.1.1 no such user");
        event.tags.push("welcome".into());
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["kind"], "bounced");
        assert_eq!(json["permanence"], "hard");
        assert_eq!(json["time"], "2018-03-26T17:58:59.675Z");
        assert_eq!(json["reply_code"], 550);
        assert_eq!(json["status"], "5.1.1");
        assert_eq!(json["bounce_reason"], "no_mailbox");
        assert_eq!(json["tags"][0], "welcome");
        assert!(json.get("raw").is_none());
        let opened = Event::new("x", EventKind::Opened { by_machine: Some(true) });
        assert_eq!(serde_json::to_value(&opened).unwrap()["by_machine"], true);
    }
}
