//! Texts as they are searched: lower case, without accents, words with single spaces between them.

/// Folds a text. Apostrophes vanish (`Rüppell's` is `ruppells`), all else that is no letter or digit parts words.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            '\'' | '\u{2019}' | '\u{2bc}' | '\u{300}'..='\u{36f}' => {}
            _ if letter.is_alphanumeric() => push_plain(&mut folded, letter),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The letter without its accent. Latin letters only: the names have no others.
fn push_plain(folded: &mut String, letter: char) {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => folded.push('c'),
        'ď' | 'đ' | 'ð' => folded.push('d'),
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => folded.push('e'),
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => folded.push('g'),
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => folded.push('i'),
        'ł' | 'ĺ' | 'ļ' | 'ľ' => folded.push('l'),
        'ñ' | 'ń' | 'ņ' | 'ň' => folded.push('n'),
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => folded.push('o'),
        'ŕ' | 'ŗ' | 'ř' => folded.push('r'),
        'ś' | 'ŝ' | 'ş' | 'š' => folded.push('s'),
        'ţ' | 'ť' => folded.push('t'),
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => folded.push('u'),
        'ý' | 'ÿ' => folded.push('y'),
        'ź' | 'ż' | 'ž' => folded.push('z'),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'ß' => folded.push_str("ss"),
        plain => folded.push(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn words_are_parted_by_single_spaces() {
        assert_eq!(fold("  Black-headed   GULL! "), "black headed gull");
        assert_eq!(fold("?!"), "");
    }

    #[test]
    fn accents_are_dropped_however_they_are_written() {
        assert_eq!(fold("Rüppell's"), "ruppells");
        assert_eq!(fold("RU\u{308}PPELL\u{2019}S"), "ruppells");
        assert_eq!(fold("Straße Œuvre İ"), "strasse oeuvre i");
    }
}
