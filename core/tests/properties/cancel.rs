//! A call dropped at any of its awaits: what its progress says must hold for what the service did.

use std::time::Duration;

use bloomchats::operation::Idempotency;
use bloomchats::{BoxFuture, Call, Client, Config, CredentialProvider, Plan, Result, Secret};
use proptest::prelude::*;
use serde_json::{Map, json};

use crate::model::{Rules, Settings, fit, predict, takes_dry_run};
use crate::schedules::{Named, operations, serve, set_up, steps};
use crate::support::{block_on, cases, poll_at_most};

proptest! {
    #![proptest_config(cases(50))]

    #[test]
    fn a_dropped_call_tells_the_truth(
        Named(operation) in operations(),
        settings in Settings::strategy(),
        steps in steps(),
        polls in 0usize..30,
    ) {
        let rules = Rules::of(operation, &settings);
        let steps = fit(&rules, steps);
        let (client, script, call) = set_up(operation, &settings, &steps, true);
        let expected = predict(&rules, &settings, &steps);
        let (progress, run) = client.start(call);
        let ended = poll_at_most(polls, run);
        let requests = script.requests();
        let requests = requests.as_array().unwrap();
        prop_assert_eq!(progress.attempts() as usize, requests.len());

        // The request that was under way when the call was dropped may still be acted upon, unless it had no connection.
        let in_flight = steps.len() - script.left() < requests.len() && !steps[requests.len() - 1].is_unconnected();
        let service = serve(requests, &steps, settings.dry_run && takes_dry_run(operation));
        if operation.idempotency == Idempotency::Trusted {
            prop_assert!(service.messages <= 1);
        }
        match ended {
            Some(Ok(_)) => prop_assert!(expected.succeeds),
            Some(Err(error)) => prop_assert_eq!(error.maybe_sent(), progress.maybe_sent()),
            None => {
                let sent = service.messages > 0 || in_flight;
                prop_assert!(!sent || rules.harmless || progress.maybe_sent(), "a message may be out, and nobody is told");
                prop_assert!(in_flight || !progress.maybe_sent() || expected.maybe_sent, "said more than anyone knows");
            }
        }
        if let Some(request) = requests.last() {
            let key = request["headers"]["idempotency-key"].as_str();
            let held = progress.idempotency_key();
            // A fallback announces its key before the attempt that carries it.
            let announced = held.as_deref().and_then(|held| held.strip_suffix(":flat"));
            prop_assert!(held.as_deref() == key || announced == key, "{:?} {:?}", held, key);
        }
    }
}

/// Answers at the second poll.
struct Slow;

impl CredentialProvider for Slow {
    fn credential(&self) -> BoxFuture<Result<Secret>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            Ok("bl_test_key".into())
        })
    }
}

#[test]
fn a_dropped_call_gives_up_its_turn() {
    for polls in 0..12 {
        let success = json!({"status": 200, "json": {}});
        let transcript = json!({"exchanges": [success, success, success], "yields": true}).to_string();
        let plan = Plan { per_minute: Some(1), per_day: None };
        let config = Config::blooio().with_provider(Slow).with_plan(plan);
        let (client, script) = Client::open_scripted(config, transcript).unwrap();
        let mut call = Call::new("blooio.v2.me.get", Map::new());
        call.options.timeout = Some(Duration::from_secs(600));
        assert!(block_on(client.call(call.clone())).is_ok());
        let (progress, dropped) = client.start(call.clone());
        let _ = poll_at_most(polls, dropped);
        assert!(block_on(client.call(call)).is_ok());
        let requests = 2 + progress.attempts();
        assert_eq!(script.requests().as_array().unwrap().len(), requests as usize);
        let spaced = Duration::from_secs(60) * (requests - 1);
        assert_eq!(script.elapsed(), spaced, "after {polls} polls, a turn was lost or taken twice");
    }
}
