//! The maximum length of options in fsconfig(2) and mount(2), and how longer ones are passed or refused.

use super::resolve::Mount;
use super::step::{MountStep, Setting};
use cli::text;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What fsconfig(2) takes of a name, and of a value.
const FSCONFIG: usize = 255;
/// What mount(2) takes of a source.
const SOURCE: usize = 4095;

/// Splits an overlay's `lowerdir` that is too long for fsconfig(2) into one setting a layer: `a:b::c` is two `lowerdir+` and
/// one `datadir+` (Linux 6.7). Not a list with a backslash, which is an escape only there.
pub fn by_layer<'a>(fstype: Option<&OsStr>, settings: Vec<Setting<'a>>) -> Vec<Setting<'a>> {
    let is_list = |setting: &Setting<'a>| setting.0 == "lowerdir";
    let Some(place) = settings.iter().position(is_list) else { return settings };
    let Some((_, Some(list))) = settings.get(place) else { return settings };
    let bytes = list.as_bytes();
    let is_only = settings.iter().filter(|setting| is_list(setting)).count() == 1;
    let splits = is_only && bytes.len() > FSCONFIG && !bytes.contains(&b'\\');
    if !splits || fstype.is_none_or(|fstype| fstype != "overlay") {
        return settings;
    }
    let mut layers = Vec::new();
    let (mut name, mut rest) = ("lowerdir+", bytes);
    loop {
        let end = rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len());
        let (layer, after) = rest.split_at(end);
        if layer.is_empty() || layer.len() > FSCONFIG {
            return settings;
        }
        layers.push((OsStr::new(name), Some(OsStr::from_bytes(layer).to_os_string())));
        (name, rest) = match after {
            [] => break,
            [b':', b':', rest @ ..] => ("datadir+", rest),
            // Behind a data-only layer only such may follow.
            [_, ..] if name == "datadir+" => return settings,
            [_, rest @ ..] => ("lowerdir+", rest),
        };
    }
    let mut all = Vec::with_capacity(settings.len() + layers.len());
    for (index, setting) in settings.into_iter().enumerate() {
        if index == place {
            all.append(&mut layers);
        } else {
            all.push(setting);
        }
    }
    all
}

/// Whether a refused option is one of those that [`by_layer`] makes, which older kernels do not know.
pub fn is_layer(name: &OsStr) -> bool {
    name == "lowerdir+" || name == "datadir+"
}

/// Which option of a plan is too long for fsconfig(2), as a message; the source counts as one.
pub fn of_fsconfig(steps: &[MountStep<'_>]) -> Option<Vec<u8>> {
    let is_long = |text: &OsStr| text.len() > FSCONFIG;
    steps.iter().find_map(|step| {
        let settings = match step {
            MountStep::Create { source, .. } if is_long(source) => return Some(longer(b"source", FSCONFIG, OF_ONE)),
            MountStep::Create { settings, .. } | MountStep::Reconfigure { settings, .. } => settings,
            _ => return None,
        };
        let long = settings.iter().find(|(name, value)| is_long(name) || value.as_deref().is_some_and(is_long));
        long.map(|(name, _)| longer(name.as_bytes(), FSCONFIG, OF_ONE))
    })
}

const OF_ONE: &str = "fsconfig(2) takes of one";

/// Why mount(2) cannot take the options `data`: it would cut them off at the end of a page.
pub fn of_mount2(mount: &Mount, data: &OsStr) -> Option<Vec<u8>> {
    if !mount.operation.has_type() {
        return None;
    }
    if mount.source().is_some_and(|source| source.len() > SOURCE) {
        return Some(longer(b"source", SOURCE, "mount(2) takes of it"));
    }
    let limit = linux::mount::data_limit();
    if data.len() <= limit {
        return None;
    }
    let length =
        |option: &linux::mount::options::MountOption| option.name.len() + option.value.as_ref().map_or(0, Vec::len);
    let longest = mount.options.filesystem().max_by_key(|option| length(option))?;
    Some(longer(&longest.name, limit, "mount(2) takes of all options together"))
}

/// `option NAME is too long: more than LIMIT bytes, ...`.
fn longer(name: &[u8], limit: usize, what: &str) -> Vec<u8> {
    let shown = name.get(..64).unwrap_or(name);
    text!["option '", shown, "' is too long: ", limit, " bytes are what ", what]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    #[test]
    fn a_list_of_layers_is_split_only_if_it_is_long_and_means_the_same_so() {
        let long = "l".repeat(200);
        let names = |list: &str| -> Vec<String> {
            let settings = vec![(OsStr::new("a"), None), (OsStr::new("lowerdir"), Some(OsString::from(list)))];
            let all = by_layer(Some(OsStr::new("overlay")), settings);
            all.into_iter().skip(1).map(|(name, _)| name.to_str().unwrap().to_string()).collect()
        };
        assert_eq!(names("a:b"), ["lowerdir"]);
        assert_eq!(names(&format!("{long}:{long}")), ["lowerdir+", "lowerdir+"]);
        assert_eq!(names(&format!("{long}:{long}::d::e")), ["lowerdir+", "lowerdir+", "datadir+", "datadir+"]);
        for list in
            [format!("{long}:\\:{long}"), format!(":{long}:{long}"), format!("{long}::{long}:c"), "l".repeat(300)]
        {
            assert_eq!(names(&list), ["lowerdir"], "{list}");
        }
    }
}
