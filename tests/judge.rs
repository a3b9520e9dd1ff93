//! The verdict on a case: what it expects against what both sides did.

use crate::case::{Case, Differs, Only};
use crate::originals::Versions;
use crate::sandbox::Run;
use regex::RegexBuilder;

/// What is wrong, and what is worth knowing; one line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Empty if the case holds.
    pub faults: Vec<String>,
    /// An original that was mended is no fault of ours.
    pub notes: Vec<String>,
}

/// Judges a case by what both sides did, and the originals' versions. A side that was not run is `None`.
pub fn judge(case: &Case, ours: Option<&Run>, theirs: Option<&Run>, versions: &Versions) -> Verdict {
    let mut verdict = Verdict::default();
    let faults = &mut verdict.faults;
    for (side, run) in [("ours", ours), ("theirs", theirs)] {
        let Some(run) = run else { continue };
        if run.timed_out {
            faults.push(format!("{side} did not end in time"));
        }
        faults.extend(run.left.iter().map(|left| format!("{side} left {left}")));
        faults.extend(unknown_command(run).map(|line| format!("{side} lacks what the row is made with: {line}")));
    }
    if !case.has_expectations() {
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            let differences = differences(ours, theirs);
            match case.differs(versions) {
                Differs::No => faults.extend(differences),
                Differs::Yes(why) if differences.is_empty() => verdict.notes.push(no_more(why)),
                Differs::Yes(_) | Differs::Unknown => {}
            }
        }
        return verdict;
    }
    if let Some(ours) = ours {
        faults.extend(unmet(case, ours).into_iter().map(|fault| format!("ours: {fault}")));
    }
    if let Some(theirs) = theirs {
        let unmet = unmet(case, theirs);
        match case.differs(versions) {
            Differs::No => faults.extend(unmet.into_iter().map(|fault| format!("theirs: {fault}"))),
            Differs::Yes(why) if unmet.is_empty() && case.only == Only::Both => {
                verdict.notes.push(no_more(why));
            }
            Differs::Yes(_) | Differs::Unknown => {}
        }
    }
    verdict
}

/// What the row's shell says of a command that this machine does not have: both sides lack it alike, so that nothing else
/// would be noticed, and what it was meant to do or to undo stays as it was, for other rows, too.
fn unknown_command(run: &Run) -> Option<&str> {
    run.stderr.lines().find(|line| line.starts_with("/bin/bash: line ") && line.ends_with(": command not found"))
}

fn no_more(why: &str) -> String {
    format!("theirs does not differ any more: {why}")
}

fn differences(ours: &Run, theirs: &Run) -> Vec<String> {
    let mut faults = Vec::new();
    if ours.status != theirs.status {
        faults.push(format!("the status differs: ours {}, theirs {}", ours.status, theirs.status));
    }
    if ours.stdout != theirs.stdout {
        faults.push("stdout differs".to_string());
    }
    if compared(&ours.stderr) != compared(&theirs.stderr) {
        faults.push("stderr differs".to_string());
    }
    faults
}

/// What a row's expectations leave open must be alike on both sides, too, unless it says why it is not: only the
/// newest originals are compared so, since a row's `differs` tells of the others no more than that they miss what is
/// expected.
pub fn apart(case: &Case, ours: &Run, theirs: &Run, versions: &Versions) -> Verdict {
    let mut verdict = Verdict::default();
    if !case.has_expectations() || case.differs(versions) != Differs::No {
        return verdict;
    }
    let is_left_open = |fault: &String| {
        let expected = [
            ("the status", case.status.is_some()),
            ("stdout", case.stdout.is_some()),
            ("stderr", case.stderr.is_some()),
        ];
        !expected.iter().any(|(name, is_expected)| *is_expected && fault.starts_with(name))
    };
    let differences: Vec<String> = differences(ours, theirs).into_iter().filter(is_left_open).collect();
    match &case.apart {
        None => verdict.faults = differences,
        Some(why) if differences.is_empty() => verdict.notes.push(no_more(why)),
        Some(_) => {}
    }
    verdict
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

/// Messages without hints and without the numbers of loop devices: which one is free depends on who else takes one.
#[allow(clippy::panic, reason = "the pattern is one")]
fn compared(messages: &str) -> String {
    let messages = without_hints(messages);
    let mut parts = messages.split("loop");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + "loop" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A text without its `hint:` lines, which only ours prints.
pub fn without_hints(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with("hint:")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Difference;

    fn run(status: i32, stdout: &str, stderr: &str) -> Run {
        Run { status, stdout: stdout.into(), stderr: stderr.into(), ..Run::default() }
    }

    fn faults(case: &Case, ours: Option<&Run>, theirs: Option<&Run>) -> Vec<String> {
        judge(case, ours, theirs, &Versions::default()).faults
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
    fn an_original_that_differs_no_more_is_told_of() {
        let difference = Difference { why: "2.38 cannot".into(), ..Difference::default() };
        let case = Case { differs: vec![difference], ..expecting_status(0) };
        let judge =
            |ours, theirs| judge(&case, Some(&run(ours, "", "")), Some(&run(theirs, "", "")), &Versions::default());
        assert_eq!(judge(0, 1), Verdict::default());
        let mended = judge(0, 0);
        assert_eq!((mended.faults.len(), mended.notes.len()), (0, 1));
        assert_eq!(judge(1, 1).faults.len(), 1);
    }

    #[test]
    fn a_version_that_does_not_differ_is_held_to_what_is_expected() {
        let difference =
            Difference { of: "libcap".into(), before: Some("2.78".into()), why: "old".into(), ..Difference::default() };
        let case = Case { differs: vec![difference], ..expecting_status(0) };
        let (good, bad) = (run(0, "", ""), run(1, "", ""));
        let faults =
            |version| judge(&case, Some(&good), Some(&bad), &Versions::new([("libcap", version)])).faults.len();
        assert_eq!([faults(Some("2.66-4")), faults(Some("2.78-1")), faults(None)], [0, 1, 0]);
    }

    #[test]
    fn what_expectations_leave_open_is_alike_or_the_row_says_why_not() {
        let (case, versions) = (expecting_status(1), Versions::default());
        let (ours, theirs) = (run(1, "x", "a\nhint: b\n"), run(1, "x", "c\n"));
        assert_eq!(apart(&case, &ours, &theirs, &versions).faults, ["stderr differs"]);
        assert_eq!(apart(&case, &ours, &run(1, "x", "a\n"), &versions), Verdict::default());
        let said = Case { apart: Some("its words depend on the locale".into()), ..case };
        assert_eq!(apart(&said, &ours, &theirs, &versions), Verdict::default());
        assert_eq!(apart(&said, &ours, &ours, &versions).notes.len(), 1);
        let covered = Case { stderr: Some("a".into()), ..expecting_status(1) };
        assert_eq!(apart(&covered, &ours, &theirs, &versions), Verdict::default());
    }

    #[test]
    fn patterns_are_matched_line_by_line() {
        let case = Case { stdout_matches: vec!["^b$".into()], ..Case::default() };
        assert!(faults(&case, Some(&run(0, "a\nb\n", "")), None).is_empty());
        assert_eq!(faults(&case, Some(&run(0, "ab\n", "")), None).len(), 1);
    }

    #[test]
    fn messages_may_name_another_loop_device() {
        let [ours, theirs] = ["loop1: bad\nhint: look\n", "loop20: bad\n"].map(|text| run(1, "", text));
        assert!(faults(&Case::default(), Some(&ours), Some(&theirs)).is_empty());
        assert_eq!(faults(&Case::default(), Some(&ours), Some(&run(1, "", "loop1: good\n"))).len(), 1);
    }

    #[test]
    fn what_is_left_behind_and_what_does_not_end_is_a_fault() {
        let left = Run { left: vec!["/dev/loop7".into()], timed_out: true, ..Run::default() };
        assert_eq!(faults(&expecting_status(0), Some(&left), None).len(), 2);
    }

    #[test]
    fn a_command_that_neither_side_has_is_a_fault() {
        let lacking = run(0, "", "mount: bad\n/bin/bash: line 4: delpart: command not found\n");
        assert_eq!(faults(&Case::default(), Some(&lacking), Some(&lacking)).len(), 2);
        let of_another = run(0, "", "bash: line 1: nothing: command not found\n");
        assert!(faults(&Case::default(), Some(&of_another), Some(&of_another)).is_empty());
    }
}
