//! The frame of a drawing: its colours, its words for who hears it, and its size.

use super::pen::{Pen, escaped};
use super::{Picture, Width, narrow, summary, wide};

/// The colours of the operator's pages. A mode is told by a word and by the line as well.
const STYLE: &str = "\
svg{--page:#f4f6f7;--card:#fff;--ink:#17212b;--quiet:#55636f;--line:#c3ccd2;--accent:#0b5563;--soft:#e4eef0;\
--warn:#8a5300}
@media (prefers-color-scheme:dark){svg{--page:#0f1519;--card:#172026;--ink:#e5ecf0;--quiet:#9dabb5;--line:#3a4a54;\
--accent:#6fd0c5;--soft:#15282d;--warn:#ecb758}}
text{font:400 13px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Noto Sans','Liberation Sans',sans-serif;\
fill:var(--ink)}
.title{font-size:17px;font-weight:650}.name{font-size:15px;font-weight:650}.quiet{fill:var(--quiet)}
.mode{font-weight:650;fill:var(--accent);text-anchor:end}.mode.shadow{fill:var(--warn)}.mode.off{fill:var(--quiet)}
.page{fill:var(--page)}.card{fill:var(--card);stroke:var(--line)}.system{fill:var(--soft);stroke:var(--accent)}
.line{stroke:var(--accent);stroke-width:2;fill:none}.head{fill:var(--accent)}
.line.shadow{stroke:var(--warn);stroke-dasharray:5 4}.head.shadow{fill:var(--warn)}
.line.off{stroke:var(--quiet);stroke-dasharray:2 4}.head.off{fill:var(--quiet)}.card.off{stroke-dasharray:4 4}";

pub(super) fn drawn(picture: &Picture<'_>, width: Width) -> String {
    let mut pen = Pen::default();
    let (right, bottom) = match width {
        Width::Wide => wide::draw(picture, &mut pen),
        Width::Narrow => narrow::draw(picture, &mut pen),
    };
    let heard = escaped(&summary(picture));
    // No role of an image: a reader of screens goes through the cards one by one.
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {right} {bottom}\" width=\"{right}\" \
         height=\"{bottom}\" role=\"group\">\n<title>The flow of truth</title>\n<desc>{heard}</desc>\n\
         <style>\n{STYLE}\n</style>\n<rect class=\"page\" width=\"{right}\" height=\"{bottom}\"/>\n{}</svg>\n",
        pen.drawn
    )
}
