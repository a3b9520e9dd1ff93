use super::*;

const N: u8 = 41;
const ALL: u64 = (1 << 41) - 1;

fn sets(effective: u64, permitted: u64, inheritable: u64) -> Sets {
    Sets { effective: CapSet(effective), permitted: CapSet(permitted), inheritable: CapSet(inheritable) }
}

fn read(text: &str) -> Result<Sets, (usize, TextErrorKind)> {
    parse(text.as_bytes(), N).map_err(|error| (error.offset, error.kind))
}

fn canonical(text: &str) -> String {
    print(&read(text).unwrap(), N)
}

#[test]
fn clauses_are_applied_from_left_to_right() {
    assert_eq!(read(""), Ok(Sets::default()));
    assert_eq!(read(" \t\n"), Ok(Sets::default()));
    assert_eq!(read("=ep"), Ok(sets(ALL, ALL, 0)));
    assert_eq!(read("all=p"), Ok(sets(0, ALL, 0)));
    assert_eq!(read("=ep cap_chown-e"), Ok(sets(ALL & !1, ALL, 0)));
    assert_eq!(read("cap_kill+p ="), Ok(Sets::default()));
    assert_eq!(read("cap_chown,5=eppe"), Ok(sets(33, 33, 0)));
    assert_eq!(read("cap_chown=p+i-p"), Ok(sets(0, 0, 1)));
    assert_eq!(read("cap_chown=+p"), Ok(sets(0, 1, 0)));
    assert_eq!(read("cap_chown+p cap_chown=-p"), Ok(Sets::default()));
    assert_eq!(read("63+p"), Ok(sets(0, 1 << 63, 0)));
    assert_eq!(read("cap_chown,ALL+i"), Ok(sets(0, 0, ALL)));
    assert_eq!(read("63,all,62+p"), Ok(sets(0, ALL | 1 << 62, 0)));
}

#[test]
fn an_error_says_where_and_what() {
    use TextErrorKind::*;
    for (text, offset, kind) in [
        ("+p", 0, NoList),
        ("=ep-i", 3, NoList),
        ("=+p", 1, NoList),
        ("cap_chwon+p", 0, UnknownName),
        ("= cap_chown,chown+p", 12, UnknownName),
        ("64+p", 0, NumberTooLarge),
        ("cap_chown,+p", 10, EmptyItem),
        ("cap_chown, cap_kill+p", 10, EmptyItem),
        ("cap_chown", 9, NoOperator),
        ("cap_chown +p", 9, NoOperator),
        ("cap_chown1+p", 9, NoOperator),
        ("cap_chown+", 10, NoFlags),
        ("cap_chown+P", 10, UnknownFlag),
        ("cap_chown+px", 11, UnknownFlag),
        ("cap_chown=p=i", 11, SecondEquals),
        ("%", 0, Unexpected),
    ] {
        assert_eq!(read(text), Err((offset, kind)), "{text}");
    }
}

#[test]
fn the_canonical_text_is_libcaps() {
    assert_eq!(canonical("=ep"), "=ep");
    assert_eq!(canonical(""), "=");
    assert_eq!(canonical("=ep cap_chown="), "=ep cap_chown-ep");
    assert_eq!(canonical("cap_chown,cap_kill=ep cap_setuid=eip"), "cap_setuid=eip cap_chown,cap_kill+ep");
    assert_eq!(canonical("63+p"), "= 63+p");
    assert_eq!(canonical("=ep cap_chown+i"), "=ep cap_chown+i");
    assert_eq!(canonical("=ep cap_chown+i-e"), "=ep cap_chown+i-e");
    assert_eq!(canonical("cap_chown=ep cap_kill+p"), "cap_chown=ep cap_kill+p");
    assert_eq!(print(&sets(u64::MAX, u64::MAX, 0), 62), "=ep 62,63+ep");
}

#[test]
fn the_classic_text_spells_out_what_the_unnamed_ones_lack() {
    let classic = |text| print_classic(&read(text).unwrap());
    assert_eq!(classic("cap_net_bind_service=+ep"), "= cap_net_bind_service+ep");
    assert_eq!(classic("="), "=");
    assert_eq!(print_classic(&sets(0, u64::MAX, 0)), "=p");
    assert!(classic("=ep").starts_with("= cap_chown,cap_dac_override,"));
    assert!(classic("=ep").ends_with(",cap_checkpoint_restore+ep"));
}

/// xorshift64*: a small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A set, sparse, dense, full or empty.
    fn set(&mut self) -> u64 {
        match self.next() % 6 {
            0 => 0,
            1 => u64::MAX,
            2 => self.next() & self.next() & self.next(),
            3 => self.next() | self.next() | self.next(),
            4 => ALL,
            _ => self.next(),
        }
    }
}

#[test]
fn what_is_printed_reads_back_as_the_same_sets() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..4_000 {
        let original = sets(random.set(), random.set(), random.set());
        for count in [41, 38, 45, 64] {
            let text = print(&original, count);
            assert_eq!(parse(text.as_bytes(), count), Ok(original), "{text}");
            let again = parse(text.as_bytes(), count).map(|sets| print(&sets, count));
            assert_eq!(again, Ok(text));
        }
        let processes = sets(original.effective.0 & ALL, original.permitted.0 & ALL, original.inheritable.0 & ALL);
        let text = print_classic(&processes);
        assert_eq!(parse(text.as_bytes(), N), Ok(processes), "{text}");
    }
}

#[test]
fn no_text_makes_the_reader_fail_in_an_unforeseen_way() {
    let mut random = Random(7);
    let alphabet = b"cap_chown,all=+-eip 0x163\t\xffE";
    for _ in 0..4_000 {
        let length = random.next() % 24;
        let text: Vec<u8> = (0..length).map(|_| alphabet[(random.next() % alphabet.len() as u64) as usize]).collect();
        if let Err(error) = parse(&text, N) {
            assert!(error.offset + error.length <= text.len());
        }
    }
}
