//! The verdict on a case: what it expects against what both sides did.

use crate::case::{Case, Only};
use crate::sandbox::Run;
use regex::RegexBuilder;

/// What is wrong, one line each; empty if the case holds. A side that was not run is `None`.
pub fn faults(case: &Case, ours: Option<&Run>, theirs: Option<&Run>) -> Vec<String> {
    let mut faults = Vec::new();
    for (side, run) in [("ours", ours), ("theirs", theirs)] {
        let Some(run) = run else { continue };
        if run.timed_out {
            faults.push(format!("{side} did not end in time"));
        }
        faults.extend(run.left.iter().map(|left| format!("{side} left {left}")));
    }
    if !case.has_expectations() {
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            faults.extend(differences(ours, theirs));
        }
        return faults;
    }
    if let Some(ours) = ours {
        faults.extend(unmet(case, ours).into_iter().map(|fault| format!("ours: {fault}")));
    }
    if let Some(theirs) = theirs.filter(|_| case.only == Only::Both) {
        let unmet = unmet(case, theirs);
        match &case.differs {
            None => faults.extend(unmet.into_iter().map(|fault| format!("theirs: {fault}"))),
            Some(reason) if unmet.is_empty() => faults.push(format!("theirs does not differ (any more): {reason}")),
            Some(_) => {}
        }
    }
    faults
}

fn differences(ours: &Run, theirs: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    if ours.status != theirs.status {
        faults.push(format!("the status differs: ours {}, theirs {}", ours.status, theirs.status));
    }
    if ours.stdout != theirs.stdout {
        faults.push("stdout differs".to_string());
    }
    if without_hints(&ours.stderr) != without_hints(&theirs.stderr) {
        faults.push("stderr differs".to_string());
    }
    faults
}

fn unmet(case: &Case, run: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(status) = case.status.filter(|status| *status != run.status) {
        faults.push(format!("the status is {}, not {status}", run.status));
    }
    let stderr = without_hints(&run.stderr);
    for (name, expected, got) in [("stdout", &case.stdout, &run.stdout), ("stderr", &case.stderr, &stderr)] {
        if let Some(expected) = expected
            && expected.trim_end_matches('\n') != got.trim_end_matches('\n')
        {
            faults.push(format!("{name} is not as expected: {}", expected.trim_end_matches('\n')));
        }
    }
    for (name, patterns, got) in
        [("stdout", &case.stdout_matches, &run.stdout), ("stderr", &case.stderr_matches, &run.stderr)]
    {
        for pattern in patterns {
            match RegexBuilder::new(pattern).multi_line(true).build() {
                Ok(regex) if regex.is_match(got) => {}
                Ok(_) => faults.push(format!("{name} does not match {pattern}")),
                Err(error) => faults.push(error.to_string()),
            }
        }
    }
    faults
}

/// A text without its `hint:` lines, which only ours prints.
pub fn without_hints(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with("hint:")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: i32, stdout: &str, stderr: &str) -> Run {
        Run { status, stdout: stdout.into(), stderr: stderr.into(), ..Run::default() }
    }

    fn expecting_status(status: i32) -> Case {
        Case { status: Some(status), ..Case::default() }
    }

    #[test]
    fn without_expectations_both_sides_must_do_the_same() {
        let case = Case::default();
        let ours = run(1, "x\n", "a: b\nhint: c\n");
        assert!(faults(&case, Some(&ours), Some(&run(1, "x\n", "a: b\n"))).is_empty());
        assert_eq!(faults(&case, Some(&ours), Some(&run(0, "", ""))).len(), 3);
    }

    #[test]
    fn an_expectation_binds_both_sides() {
        let case = expecting_status(1);
        assert!(faults(&case, Some(&run(1, "", "")), Some(&run(1, "x", ""))).is_empty());
        assert_eq!(faults(&case, Some(&run(0, "", "")), Some(&run(1, "", ""))).len(), 1);
        assert_eq!(faults(&case, Some(&run(1, "", "")), Some(&run(0, "", ""))).len(), 1);
    }

    #[test]
    fn a_difference_that_is_no_more_is_a_fault() {
        let case = Case { differs: Some("2.38 cannot".into()), ..expecting_status(0) };
        assert!(faults(&case, Some(&run(0, "", "")), Some(&run(1, "", ""))).is_empty());
        assert_eq!(faults(&case, Some(&run(0, "", "")), Some(&run(0, "", ""))).len(), 1);
        assert_eq!(faults(&case, Some(&run(1, "", "")), Some(&run(1, "", ""))).len(), 1);
    }

    #[test]
    fn patterns_are_matched_line_by_line() {
        let case = Case { stdout_matches: vec!["^b$".into()], ..Case::default() };
        assert!(faults(&case, Some(&run(0, "a\nb\n", "")), None).is_empty());
        assert_eq!(faults(&case, Some(&run(0, "ab\n", "")), None).len(), 1);
    }

    #[test]
    fn what_is_left_behind_and_what_does_not_end_is_a_fault() {
        let left = Run { left: vec!["/dev/loop7".into()], timed_out: true, ..Run::default() };
        assert_eq!(faults(&expecting_status(0), Some(&left), None).len(), 2);
    }
}
