/** How our pages look: one style sheet, served under a name that changes with it. No script, no font, no picture. */
import { sha256 } from '../../core/hash.ts'

/** The style sheet. */
export const pageStyle = `:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f6f4, #161718);
  --sheet: light-dark(#fff, #202224);
  --ink: light-dark(#1c1d1f, #ececea);
  --quiet: light-dark(#5b5e63, #a9adb3);
  --line: light-dark(#8a8d92, #71757b);
  --faint: light-dark(#dcdcd8, #35383c);
  --accent: light-dark(#0b5d7a, #7cc7e4);
  --on-accent: light-dark(#fff, #10191d);
  --bad: light-dark(#a3201a, #ff9d94);
  --bad-ground: light-dark(#fdeeed, #3a2220);
  --note-ground: light-dark(#eef5f8, #1d2c33);
  --care: light-dark(#8a5a00, #f0c36a);
  --care-ground: light-dark(#fdf5e3, #352c1a);
}
* { box-sizing: border-box; }
body {
  margin: 0;
  padding: 2rem 1rem 4rem;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { max-width: 32rem; margin: 0 auto; }
header { padding: 0 0.25rem 0.75rem; color: var(--quiet); font-weight: 600; letter-spacing: 0.02em; }
main { padding: 1.5rem; background: var(--sheet); border: 1px solid var(--faint); border-radius: 0.75rem; }
main > :last-child { margin-bottom: 0; }
footer { padding: 0.75rem 0.25rem; color: var(--quiet); font-size: 0.875rem; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 0.5rem; font-size: 1.0625rem; }
p, ul, ol, dl, form { margin: 0 0 1rem; }
ul, ol { padding-left: 1.25rem; }
li { margin: 0.25rem 0; }
a { color: var(--accent); }
dt { color: var(--quiet); font-size: 0.875rem; }
dd { margin: 0 0 0.5rem; }
pre.arguments { margin: 0 0 1rem; padding: 0.75rem 1rem; border: 1px solid var(--faint); border-radius: 0.5rem; background: var(--ground); white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: var(--care-ground); color: var(--care); font-weight: 600; }
code, .code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.9375em; }
svg.qr { display: block; width: 12rem; max-width: 100%; margin: 0 auto 1rem; border-radius: 0.5rem; }
ul.codes { padding: 0; list-style: none; columns: 2; }
.quiet { color: var(--quiet); }
label { display: block; margin: 0 0 0.25rem; font-weight: 600; }
label.choice { display: flex; gap: 0.5rem; align-items: baseline; font-weight: 400; }
input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea {
  display: block;
  width: 100%;
  min-height: 2.75rem;
  margin: 0 0 1rem;
  padding: 0.5rem 0.75rem;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  background: var(--ground);
  color: inherit;
  font: inherit;
}
.hint { margin: -0.75rem 0 1rem; color: var(--quiet); font-size: 0.875rem; }
button, a.button {
  display: block;
  width: 100%;
  min-height: 2.75rem;
  margin: 0 0 0.75rem;
  padding: 0.5625rem 1rem;
  border: 1px solid var(--accent);
  border-radius: 0.5rem;
  background: var(--accent);
  color: var(--on-accent);
  font: inherit;
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  cursor: pointer;
}
button.second, a.button.second { background: transparent; color: var(--accent); }
button.plain { display: inline; width: auto; min-height: 0; margin: 0; padding: 0; border: 0; background: none; color: var(--accent); font-weight: 400; text-decoration: underline; }
form.plain { display: inline; margin: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.problem, .note, .warning { padding: 0.75rem 1rem; border-radius: 0.5rem; border-left: 4px solid; }
.problem { background: var(--bad-ground); border-color: var(--bad); }
.note { background: var(--note-ground); border-color: var(--accent); }
.warning { background: var(--care-ground); border-color: var(--care); }
hr { margin: 1.25rem 0; border: 0; border-top: 1px solid var(--faint); }
@media (max-width: 24rem) { body { padding: 0.75rem 0.5rem 2rem; } main { padding: 1rem; } ul.codes { columns: 1; } }
@media (prefers-contrast: more) { :root { --quiet: var(--ink); --faint: var(--line); } }
`

/** Where it is served: a browser may keep it for ever. */
export const pageStylePath = `/assets/page-${sha256(pageStyle).slice(0, 12)}.css`
