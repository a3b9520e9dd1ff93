//! The inputs that fuzzing kept, tried once more.

use std::fs;
use std::path::Path;

#[test]
fn every_property_holds_for_its_seeds_and_there_are_no_others() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    for (name, property) in properties::ALL {
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).exists(), "{name} is not fuzzed");
        let mut seeds = 0;
        for seed in fs::read_dir(fuzz.join("seeds").join(name)).expect(name) {
            let seed = seed.expect("an entry").path();
            let input = fs::read(&seed).expect("a seed");
            if std::panic::catch_unwind(|| property(&input)).is_err() {
                panic!("{name} does not hold for {}", seed.display());
            }
            seeds += 1;
        }
        assert!(seeds > 0, "{name} has no seeds");
    }
    for folder in ["seeds", "fuzz_targets"] {
        let count = fs::read_dir(fuzz.join(folder)).expect(folder).count();
        assert_eq!(count, properties::ALL.len(), "fuzz/{folder} holds what no property has");
    }
}
