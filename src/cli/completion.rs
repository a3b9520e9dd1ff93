//! Completions for bash, zsh and fish, made from the option tables.
//!
//! What an argument can be is read off the name that the help gives it: `dir`, `uid`, `yes|no`.
//! An applet's own name is completed only where it is a link to ctrbox, and otherwise left to others.

use crate::Applet;
use crate::called::Origin;
use crate::option::{Argument, Spec};
use linux::capability::NAMES;

/// What an argument can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    User,
    Group,
    Pid,
    /// A process in other namespaces than the shell's.
    Target,
    Signal,
    Capability,
    /// Several, with commas between them, and what libcap's texts have behind those.
    Capabilities,
    /// The same in setpriv's way: each gained or lost, and without `cap_`.
    SignedCapabilities,
    /// File system types, with commas between them.
    Types,
    /// Options of a mount, likewise.
    MountOptions,
    Program,
    /// One of the words between the bars, but those with a colon.
    Words(&'static str),
    Other,
}

impl Kind {
    fn of(name: &'static str) -> Kind {
        match name.split(['|', '[', ':']).next().unwrap_or_default().trim_matches(['<', '>']) {
            "file" | "path" | "ns" | "source" | "target" | "device" => Kind::File,
            "dir" | "directory" => Kind::Directory,
            "uid" | "user" | "USER" => Kind::User,
            "gid" | "group" => Kind::Group,
            "pid" if name.starts_with("pid[") => Kind::Target,
            "pid" => Kind::Pid,
            "signame" | "signal" => Kind::Signal,
            "xxx" => Kind::Capability,
            "xxx,..." | "text" => Kind::Capabilities,
            "caps" | "caps,..." => Kind::SignedCapabilities,
            _ if name.as_bytes().contains(&b'|') => Kind::Words(name),
            _ => Kind::Other,
        }
    }

    /// What the operands of an applet are.
    fn of_operands(applet: &Applet) -> Kind {
        let mentions = |word| applet.synopsis.iter().any(|form| form.split(['[', ' ', ']']).any(|part| part == word));
        if mentions("<program>") || mentions("COMMAND") {
            Kind::Program
        } else if mentions("<pid>") {
            Kind::Pid
        } else {
            Kind::File
        }
    }

    fn words(self) -> String {
        match self {
            Kind::Words(name) => {
                name.split('|').filter(|word| !word.as_bytes().contains(&b':')).collect::<Vec<_>>().join(" ")
            }
            Kind::Capability | Kind::Capabilities => NAMES.into(),
            Kind::SignedCapabilities => {
                let mut words = String::new();
                for name in NAMES.split(' ') {
                    let name = name.strip_prefix("cap_").unwrap_or(name);
                    words.extend(["+", name, " -", name, " "]);
                }
                words + "+all -all"
            }
            _ => String::new(),
        }
    }
}

impl Spec {
    /// The kind of its argument, and whether it must have one.
    fn value(&self) -> Option<(Kind, bool)> {
        match self.argument {
            Argument::None => None,
            Argument::Required("list") if self.name() == "types" => Some((Kind::Types, true)),
            Argument::Required("list") if self.name() == "options" => Some((Kind::MountOptions, true)),
            Argument::Required(name) => Some((Kind::of(name), true)),
            Argument::Optional(name) | Argument::OptionalLong(name) => Some((Kind::of(name), false)),
        }
    }

    /// Its names as they are typed.
    fn typed(&self) -> Vec<String> {
        let mut typed = Vec::new();
        typed.extend(self.short.map(|letter| format!("-{letter}")));
        typed.extend(self.names().map(|name| ["--", name].concat()));
        typed
    }
}

/// The words that `ctrbox` takes in the place of an applet.
const WORDS: &str = "doctor shell explain man completion";

/// What any file system takes, and what is asked of mount itself.
const MOUNT_OPTIONS: &str = "ro rw nosuid nodev noexec noatime relatime remount bind rbind private rprivate shared rshared \
                             slave rslave loop defaults X-mount.mkdir X-mount.owner= X-mount.mode= X-mount.idmap=";

/// The completion for a shell, or nothing if it is not known.
pub fn script(shell: &str, ctrbox: &Applet, applets: &[&Applet]) -> Option<String> {
    let names = applets.iter().map(|applet| applet.name).collect::<Vec<_>>().join(" ");
    match shell {
        "bash" => Some(bash(ctrbox, applets, &names)),
        "zsh" => Some(zsh(ctrbox, applets, &names)),
        "fish" => Some(fish(ctrbox, applets, &names)),
        _ => None,
    }
}

fn bash(ctrbox: &Applet, applets: &[&Applet], names: &str) -> String {
    let mut out = String::from(
        "# bash completion for ctrbox. Made by: ctrbox completion bash\n\n\
         _ctrbox_table() {\n    options='' value='' operands=''\n    case $1 in\n",
    );
    for applet in [ctrbox].iter().chain(applets) {
        // libcap's tools take a value only after an equals sign.
        let attached = applet.origin == Origin::Libcap;
        let mut all = Vec::new();
        let mut cases = String::new();
        for spec in applet.options.iter() {
            let mut patterns = Vec::new();
            for name in spec.typed() {
                let is_long = name.starts_with("--");
                if let Some((_, required)) = spec.value() {
                    if required && !(attached && is_long) {
                        patterns.push(name.clone());
                    }
                    if is_long {
                        patterns.push([&name, "="].concat());
                    }
                }
                all.push(if attached && is_long && spec.value().is_some() { name + "=" } else { name });
            }
            if let Some((kind, _)) = spec.value()
                && !patterns.is_empty()
            {
                cases.extend(["        ", &patterns.join(" | "), ") value='", &bash_kind(kind), "' ;;\n"]);
            }
        }
        out.extend(["    ", applet.name, ")\n        options='", &all.join(" "), "'\n        operands='"]);
        let operands = if applet.name == ctrbox.name { Kind::Directory } else { Kind::of_operands(applet) };
        out.extend([bash_kind(operands).as_str(), "'\n"]);
        if !cases.is_empty() {
            out.extend(["        case $2 in\n", &cases, "        esac\n"]);
        }
        out.push_str("        ;;\n");
    }
    out.push_str("    esac\n}\n");
    fill(BASH, names, &mut out);
    out
}

/// The numbers of processes of which a namespace is not the shell's, in words that bash, zsh and fish understand alike.
/// Those that may not be looked into may not be entered either.
const TARGETS: &str = r#"stat -Lc "%n %i" /proc/self/ns/* /proc/*/ns/* 2>/dev/null |
        awk -F "[/ ]" '$3 == "self" { own[$5] = $6 } $3 + 0 && $5 !~ /_/ && own[$5] != $6 && !seen[$3]++ { print $3 }'"#;

/// Adds a template with the applets' names and other words in their places; two signs are one.
fn fill(template: &str, names: &str, out: &mut String) {
    for piece in template.split('%') {
        match piece {
            "NAMES" => out.push_str(names),
            "WORDS" => out.push_str(WORDS),
            "CAPABILITIES" => out.push_str(&Kind::Capability.words()),
            "OPTIONS" => out.push_str(MOUNT_OPTIONS),
            "TARGETS" => out.push_str(TARGETS),
            "" => out.push('%'),
            "SIGNED" => out.push_str(&Kind::SignedCapabilities.words()),
            _ => out.push_str(piece),
        }
    }
}

/// The word that bash's case below knows it by, or the words that it can be.
fn bash_kind(kind: Kind) -> String {
    match kind {
        Kind::Words(_) => return kind.words(),
        Kind::File => "@file",
        Kind::Directory => "@directory",
        Kind::User => "@user",
        Kind::Group => "@group",
        Kind::Pid => "@pid",
        Kind::Target => "@target",
        Kind::Signal => "@signal",
        Kind::Capability => "@capability",
        Kind::Capabilities => "@capabilities",
        Kind::SignedCapabilities => "@signed",
        Kind::Types => "@types",
        Kind::MountOptions => "@options",
        Kind::Program => "@program",
        Kind::Other => "@other",
    }
    .into()
}

const BASH: &str = r#"
# The processes that have other namespaces.
_ctrbox_targets() {
    %TARGETS%
}

# Completes the last word of a list.
_ctrbox_list() {
    local last=${2##*,}
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -P "${2:0:${#2}-${#last}}" -W "$1" -- "$last")
}

_ctrbox() {
    local applet=${1##*/} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options value operands
    COMPREPLY=()
    if [[ $applet == ctrbox ]]; then
        if ((COMP_CWORD == 1)); then
            _ctrbox_table ctrbox ''
            mapfile -t COMPREPLY < <(compgen -W "%NAMES% %WORDS% $options" -- "$word")
            return
        fi
        case ${COMP_WORDS[1]} in
        man) value='%NAMES%' ;;
        completion) value='bash zsh fish' ;;
        explain)
            applet=${COMP_WORDS[2]##*/}
            if ((COMP_CWORD == 2)); then value='%NAMES%'; fi
            ;;
        -*) ;;
        *) applet=${COMP_WORDS[1]} ;;
        esac
    fi
    # Bash takes `--name=value` for three words.
    if [[ $word == = ]]; then
        before+='=' word=
    elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}=
    fi
    if [[ -z $value ]]; then
        _ctrbox_table "$applet" "$before"
    fi
    if [[ -z $value && $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
        return
    fi
    case ${value:-$operands} in
    @file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    @directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    @program) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -d -- "$word") ;;
    @user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    @group) mapfile -t COMPREPLY < <(compgen -g -- "$word") ;;
    @signal) mapfile -t COMPREPLY < <(compgen -A signal -- "$word") ;;
    @pid) mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [1-9]*)" -- "$word") ;;
    @target) mapfile -t COMPREPLY < <(compgen -W "$(_ctrbox_targets)" -- "$word") ;;
    @capability) mapfile -t COMPREPLY < <(compgen -W '%CAPABILITIES%' -- "$word") ;;
    @capabilities) _ctrbox_list '%CAPABILITIES%' "$word" ;;
    @signed) _ctrbox_list '%SIGNED%' "$word" ;;
    @types) _ctrbox_list "$(sed 's/.*\t//' /proc/filesystems 2>/dev/null)" "$word" ;;
    @options) _ctrbox_list '%OPTIONS%' "$word" ;;
    @other | '') ;;
    *) mapfile -t COMPREPLY < <(compgen -W "${value:-$operands}" -- "$word") ;;
    esac
}

# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
_ctrbox_applet() {
    local theirs=${_ctrbox_theirs[$1]} program
    program=$(type -P "$1")
    if [[ $program -ef $(type -P ctrbox) || $(readlink -f "$program") == */ctrbox ]]; then
        _ctrbox "$@"
        return
    fi
    if [[ -z $theirs ]]; then
        complete -r "$1" 2>/dev/null
        _comp_load "$1" 2>/dev/null || _completion_loader "$1" 2>/dev/null
        if [[ $(complete -p "$1" 2>/dev/null) =~ ' -F '([^ ]*) ]]; then theirs=${BASH_REMATCH[1]}; else theirs=:; fi
        _ctrbox_theirs[$1]=$theirs
        complete -o bashdefault -o default -F _ctrbox_applet "$1"
    fi
    "$theirs" "$@"
}

declare -A _ctrbox_theirs
complete -F _ctrbox ctrbox
for _ctrbox_name in %NAMES%; do
    if [[ $(complete -p "$_ctrbox_name" 2>/dev/null) =~ ' -F '([^ ]*) && ${BASH_REMATCH[1]} != _ctrbox* ]]; then
        _ctrbox_theirs[$_ctrbox_name]=${BASH_REMATCH[1]}
    fi
    complete -o bashdefault -o default -F _ctrbox_applet "$_ctrbox_name"
done
unset _ctrbox_name
"#;

fn zsh(ctrbox: &Applet, applets: &[&Applet], names: &str) -> String {
    let mut out =
        ["#compdef ctrbox ", names, "\n# zsh completion for ctrbox. Made by: ctrbox completion zsh\n"].concat();
    for applet in [ctrbox].iter().chain(applets) {
        out.extend(["\n_ctrbox_", applet.name, "() {\n    _arguments -s -S : \\\n"]);
        for spec in applet.options.iter() {
            let help = quoted(&spec.help.replace('\n', " "), &['[', ']', ':', '\\']);
            for name in spec.typed() {
                let is_long = name.starts_with("--");
                out.extend(["        '*", &name]);
                let value = match spec.value() {
                    Some((_, false)) if !is_long && matches!(spec.argument, Argument::OptionalLong(_)) => None,
                    value => value,
                };
                let suffix = match (value, is_long) {
                    (None, _) => "",
                    (Some((_, true)), true) if applet.origin == Origin::Libcap => "=-",
                    (Some((_, true)), true) => "=",
                    (Some((_, true)), false) => "+",
                    (Some((_, false)), true) => "=-",
                    (Some((_, false)), false) => "-",
                };
                out.extend([suffix, "[", &help, "]"]);
                if let Some((kind, required)) = value {
                    out.extend([if required { ":" } else { "::" }, "value:", &zsh_kind(kind)]);
                }
                out.push_str("' \\\n");
            }
        }
        if applet.name == ctrbox.name {
            out.extend(["        '1:applet:(", names, " ", WORDS, ")' '*::argument:_ctrbox_rest'\n}\n"]);
        } else {
            let operands = match Kind::of_operands(applet) {
                Kind::Program => "*::program:_normal".to_string(),
                kind => ["*:operand:", &zsh_kind(kind)].concat(),
            };
            out.extend(["        '", &operands, "'\n}\n"]);
        }
    }
    fill(ZSH, names, &mut out);
    out
}

fn zsh_kind(kind: Kind) -> String {
    match kind {
        Kind::File => "_files".into(),
        Kind::Directory => "_directories".into(),
        Kind::User => "_users".into(),
        Kind::Group => "_groups".into(),
        Kind::Pid => "_pids".into(),
        Kind::Target => "_ctrbox_targets".into(),
        Kind::Signal => "_signals".into(),
        Kind::Program => "_command_names".into(),
        Kind::Words(_) | Kind::Capability => ["(", &kind.words(), ")"].concat(),
        Kind::Capabilities => "_sequence _ctrbox_capabilities".into(),
        Kind::SignedCapabilities => "_sequence _ctrbox_signed".into(),
        Kind::Types => "_sequence _ctrbox_types".into(),
        Kind::MountOptions => "_sequence _ctrbox_options".into(),
        Kind::Other => " ".into(),
    }
}

const ZSH: &str = r#"
_ctrbox_capabilities() { compadd "$@" - %CAPABILITIES% }
_ctrbox_targets() {
    compadd "$@" - $(%TARGETS%)
}
_ctrbox_types() { compadd "$@" - ${${(f)"$(</proc/filesystems)"}##*$'\t'} }
_ctrbox_options() { compadd "$@" - %OPTIONS% }
_ctrbox_signed() { compadd "$@" - %SIGNED% }

_ctrbox_rest() {
    case $words[1] in
    explain)
        if (( CURRENT == 2 )); then
            _values applet %NAMES%
        else
            shift words
            (( CURRENT-- ))
            _ctrbox_rest
        fi
        ;;
    man) _values applet %NAMES% ;;
    completion) _values shell bash zsh fish ;;
    *) if (( $+functions[_ctrbox_$words[1]] )); then _ctrbox_$words[1]; fi ;;
    esac
}

# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
_ctrbox() {
    local program=${commands[$service]:A}
    if [[ $service == ctrbox ]]; then
        _ctrbox_ctrbox
    elif [[ $program:t == ctrbox || $program -ef $commands[ctrbox] ]]; then
        _ctrbox_$service
    else
        local theirs=$_ctrbox_theirs[$service] name
        # What zsh has for the name, if this file took its place: umount is completed as mount is.
        for name in _$service ${${(M)service:#umount}:+_mount} _default; do
            if [[ -z $theirs ]] && (( $+functions[$name] )); then theirs=$name; fi
        done
        $theirs "$@"
    fi
}

if [[ $funcstack[1] == _ctrbox ]]; then
    _ctrbox "$@"
elif (( $+functions[compdef] )); then
    compdef _ctrbox ctrbox
    typeset -gA _ctrbox_theirs
    for _ctrbox_name in %NAMES%; do
        if [[ $_comps[$_ctrbox_name] != _ctrbox ]]; then _ctrbox_theirs[$_ctrbox_name]=$_comps[$_ctrbox_name]; fi
        compdef _ctrbox $_ctrbox_name
    done
    unset _ctrbox_name
fi
"#;

fn fish(ctrbox: &Applet, applets: &[&Applet], names: &str) -> String {
    let mut out = String::from("# fish completion for ctrbox. Made by: ctrbox completion fish\n");
    for applet in [ctrbox].iter().chain(applets) {
        let condition = if applet.name == ctrbox.name {
            "__fish_use_subcommand".to_string()
        } else {
            ["__fish_seen_subcommand_from ", applet.name].concat()
        };
        let begin = ["complete -c ctrbox -n '", &condition, "'"].concat();
        for spec in applet.options.iter() {
            out.push_str(&begin);
            if let Some(letter) = spec.short {
                out.extend([" -s ", letter.encode_utf8(&mut [0; 4])]);
            }
            for name in spec.names() {
                out.extend([" -l ", name]);
            }
            out.extend([" -d '", &quoted(&spec.help.replace('\n', " "), &['\\']), "'"]);
            if let Some((kind, required)) = spec.value() {
                out.push_str(&fish_kind(kind, required));
            }
            out.push('\n');
        }
        let operands = match Kind::of_operands(applet) {
            _ if applet.name == ctrbox.name => [" -f -a '", names, " ", WORDS, "'"].concat(),
            Kind::Program => " -x -a '(__fish_complete_subcommand)'".into(),
            Kind::Pid => " -f -a '(__fish_complete_pids)'".into(),
            _ => " -F".into(),
        };
        out.extend([&begin, &operands, "\n"]);
    }
    fill(FISH, names, &mut out);
    out
}

fn fish_kind(kind: Kind, required: bool) -> String {
    let list = match kind {
        Kind::File => return if required { " -r -F" } else { " -F" }.into(),
        Kind::Other | Kind::Signal => return if required { " -x" } else { "" }.into(),
        Kind::Directory => "(__fish_complete_directories)".into(),
        Kind::User => "(__fish_complete_users)".into(),
        Kind::Group => "(__fish_complete_groups)".into(),
        Kind::Pid => "(__fish_complete_pids)".into(),
        Kind::Target => "(__ctrbox_targets)".into(),
        Kind::Program => "(__fish_complete_command)".into(),
        Kind::Words(_) | Kind::Capability => kind.words(),
        Kind::Capabilities => "(__ctrbox_list $__ctrbox_capabilities)".into(),
        Kind::SignedCapabilities => "(__ctrbox_list $__ctrbox_signed)".into(),
        Kind::Types => "(__ctrbox_list (string replace -r \".*\\t\" \"\" </proc/filesystems))".into(),
        Kind::MountOptions => ["(__ctrbox_list ", MOUNT_OPTIONS, ")"].concat(),
    };
    [if required { " -x" } else { " -f" }, " -a '", &list, "'"].concat()
}

const FISH: &str = r#"set -g __ctrbox_capabilities %CAPABILITIES%
set -g __ctrbox_signed %SIGNED%
# Offers words for the last one of a list.
function __ctrbox_list
    set -l before (commandline -ct | string replace -r '^--?[^=,]*=' '' | string replace -r '[^,]*$' '')
    for word in $argv
        echo $before$word
    end
end
complete -c ctrbox -n '__fish_seen_subcommand_from explain; and not __fish_seen_subcommand_from %NAMES%' -x -a '%NAMES%'
complete -c ctrbox -n '__fish_seen_subcommand_from man' -x -a '%NAMES%'
complete -c ctrbox -n '__fish_seen_subcommand_from completion' -x -a 'bash zsh fish'
# The processes that have other namespaces.
function __ctrbox_targets
    %TARGETS%
end
# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
function __ctrbox_is
    set -l path (command -s $argv[1])
    and string match -qr '(^|/)ctrbox$' (realpath $path); or command test "$path" -ef (command -s ctrbox; or echo /)
end
function __ctrbox_as
    complete -C (commandline -cp | string replace -r '^(\s*\w+=\S*)*\s*\S+' "ctrbox $argv[1]" | string collect)
end
for name in %NAMES%
    complete -c $name -n "__ctrbox_is $name" -f -a "(__ctrbox_as $name)"
end
"#;

/// Text inside single quotes, with a backslash before these characters.
fn quoted(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(&character) {
            out.push('\\');
        }
        if character == '\'' {
            out.push_str("'\\'");
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_argument_can_be_is_read_off_its_name() {
        assert_eq!(Kind::of("dir"), Kind::Directory);
        assert_eq!(Kind::of("uid|name"), Kind::User);
        assert_eq!((Kind::of("pid"), Kind::of("pid[:inode]")), (Kind::Pid, Kind::Target));
        assert_eq!(Kind::of("offset"), Kind::Other);
        assert_eq!(Kind::of("allow|deny").words(), "allow deny");
        assert_eq!(Kind::of("inner:outer:count|auto|all").words(), "auto all");
    }

    #[test]
    fn a_quote_ends_and_begins_the_quotes_again() {
        assert_eq!(quoted("don't [x]", &['[', ']']), "don'\\'t \\[x\\]".replace("'\\'t", "'\\''t"));
    }
}
