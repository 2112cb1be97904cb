//! What can be said of a phone number by looking at it.

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, PhoneNumber, Type, country};
use serde_json::{Map, Value, json};

/// Both generations of the API answer with this.
pub(crate) fn lookup(input: &str) -> Value {
    let mut facts = Map::from_iter([("input".to_owned(), json!(input)), ("valid".to_owned(), json!(false))]);
    // A number without a country code is read as one of the United States.
    let Ok(number) = phonenumber::parse(Some(country::US), input) else {
        facts.insert("possible".to_owned(), false.into());
        return Value::Object(facts);
    };
    let valid = number.is_valid();
    let formatted = |mode| number.format().mode(mode).to_string();
    facts.insert("valid".to_owned(), valid.into());
    facts.insert("possible".to_owned(), (valid || is_possible(&number)).into());
    facts.insert("e164".to_owned(), formatted(Mode::E164).into());
    facts.insert("national".to_owned(), formatted(Mode::National).into());
    facts.insert("international".to_owned(), formatted(Mode::International).into());
    facts.insert("country_calling_code".to_owned(), number.code().value().to_string().into());
    facts.insert("country".to_owned(), number.country().id().map(|id| id.as_ref().to_owned()).into());
    let national = number.national().to_string();
    facts.insert("type".to_owned(), kind(number.number_type(&DATABASE)).into());
    facts.insert("location".to_owned(), Value::Null);
    if number.code().value() == 1 && national.len() == 10 {
        facts.insert("area_code".to_owned(), national[..3].into());
        facts.insert("exchange".to_owned(), national[3..6].into());
    }
    facts.insert("national_number".to_owned(), national.into());
    Value::Object(facts)
}

fn is_possible(number: &PhoneNumber) -> bool {
    (7..=15).contains(&number.national().to_string().len())
}

fn kind(kind: Type) -> Option<&'static str> {
    Some(match kind {
        Type::FixedLine => "FIXED_LINE",
        Type::Mobile => "MOBILE",
        Type::FixedLineOrMobile => "FIXED_LINE_OR_MOBILE",
        Type::TollFree => "TOLL_FREE",
        Type::PremiumRate => "PREMIUM_RATE",
        Type::SharedCost => "SHARED_COST",
        Type::Voip => "VOIP",
        Type::PersonalNumber => "PERSONAL_NUMBER",
        Type::Pager => "PAGER",
        Type::Uan => "UAN",
        Type::Voicemail => "VOICEMAIL",
        _ => return None,
    })
}
