//! A call dropped at any of its awaits: what its progress says must hold for what the service did.

use bloomchats::operation::Idempotency;
use proptest::prelude::*;

use crate::model::{Rules, Settings, fit, predict, takes_dry_run};
use crate::schedules::{Named, operations, serve, set_up, steps};
use crate::support::{cases, poll_at_most};

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

        // The request that was under way when the call was dropped may still be acted upon, late or not.
        let in_flight = steps.len() - script.left() < requests.len();
        let mut late = expected.late.clone();
        late.resize(requests.len(), true);
        let service = serve(requests, &steps, &late, settings.dry_run && takes_dry_run(operation));
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
