//! Reports as one page that loads nothing and runs no script.

use super::model::{Entry, Level, Report, Section, escaped};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}\
h1{font-size:1.4rem}h2{font:600 1rem ui-monospace,monospace;margin:2rem 0 .5rem}\
table{border-collapse:collapse;width:100%}\
td,th{border-top:1px solid var(--line);padding:.35rem .6rem .35rem 0;text-align:left;vertical-align:top}\
th{font-weight:600}code{font-size:.9em;overflow-wrap:anywhere}\
.error{color:#c62828}.warning{color:#b26a00}.note{color:#607d8b}.num{text-align:right}\
ul{padding-left:1.2rem}";

pub(super) fn write(report: &Report) -> String {
    let title = escaped(&report.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<ul>\n"
    );
    for line in &report.summary {
        out.push_str(&format!("<li>{}</li>\n", escaped(line)));
    }
    out.push_str("</ul>\n");
    for section in report.sections.iter().filter(|section| !section.entries.is_empty()) {
        out.push_str(&format!("<h2>{}</h2>\n", escaped(&section.name)));
        out.push_str(
            "<table>\n<tr><th>Severity</th><th>Rule</th><th>What</th><th class=\"num\">Count</th><th>First</th></tr>\n",
        );
        section.entries.iter().for_each(|entry| row(entry, &mut out));
        out.push_str("</table>\n");
    }
    if report.sections.iter().any(|section| !section.note.is_empty()) {
        out.push_str("<h2>All operations</h2>\n<table>\n");
        report.sections.iter().for_each(|section| line_of(section, &mut out));
        out.push_str("</table>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn row(entry: &Entry, out: &mut String) {
    let class = match entry.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let count = entry.count.map(|count| count.to_string()).unwrap_or_default();
    let examples: Vec<String> = entry
        .examples
        .iter()
        .map(|example| format!("<code>{}</code>", escaped(&example.place)))
        .collect();
    out.push_str(&format!(
        "<tr><td class=\"{class}\">{}</td><td><code>{}</code></td><td><code>{}</code> {}</td><td class=\"num\">{count}</td><td>{}</td></tr>\n",
        escaped(entry.label),
        escaped(&entry.rule),
        escaped(&entry.place),
        escaped(&entry.message),
        examples.join("<br>"),
    ));
}

fn line_of(section: &Section, out: &mut String) {
    out.push_str(&format!(
        "<tr><td><code>{}</code></td><td>{}</td><td class=\"num\">{}</td></tr>\n",
        escaped(&section.name),
        escaped(&section.note),
        section.entries.len(),
    ));
}
