//! Writes an invitation with text, HTML, a logo and a calendar object, for a mail program to open.
//!
//! ```text
//! cargo run --example invitation > invitation.eml
//! ```

use std::error::Error;
use std::io::stdout;

use posthaste::mime::{AutoSubmitted, Calendar};
use posthaste::{Attachment, ContentId, ContentType, Message};

const OBJECT: &str = "\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//posthaste//invitation//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:breakfast-2027@example.org
DTSTAMP:20261123T080000Z
DTSTART:20270104T073000Z
DTEND:20270104T083000Z
SUMMARY:Breakfast
LOCATION:Café Analytique
ORGANIZER;CN=Ada:mailto:ada@example.org
ATTENDEE;CN=Bob;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.net
END:VEVENT
END:VCALENDAR
";

const HTML: &str = "\
<img src=\"cid:logo\" alt=\"Example\" width=\"16\" height=\"16\">
<h1>Breakfast?</h1>
<p>On <b>4 January</b> at half past seven, in the <a href=\"https://example.org/cafe\">Café Analytique</a>.</p>
";

/// A square of one colour.
const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16" fill="#d40"/></svg>"##;

fn main() -> Result<(), Box<dyn Error>> {
    let calendar = Calendar::new(OBJECT)?;
    let logo = Attachment::inline(ContentId::new("logo")?, ContentType::parse("image/svg+xml")?, LOGO);
    let message = Message::builder()
        .from("Ada Lovelace <ada@example.org>".parse()?)
        .to("Bob <bob@example.net>".parse()?)
        .subject("Breakfast on 4 January")
        .html(HTML)
        .text_from_html()
        .inline(logo)
        // Most programs offer the invitation by its part; some want the file.
        .attach(calendar.to_attachment("invite.ics")?)
        .calendar(calendar)
        .auto_submitted(AutoSubmitted::Generated)
        .build()?;
    message.to_rope().write_to(&mut stdout().lock())?;
    Ok(())
}
