/**
 * An editor for YAML, loaded when somebody writes some. It stands in a shadow root, where its style sheets are adopted: the page allows
 * no style that is written into it. `Tab` goes on to what comes next, as everywhere; `Escape` leaves it.
 */
import { autocompletion, completionKeymap, type Completion, type CompletionContext } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { EditorState, type Text } from '@codemirror/state'
import { EditorView, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'
import type { EditorProps, Mark } from './plain-editor.tsx'

export default function CodeEditor({ label, text, marks, words, onText, onLeave }: EditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  // What the editor, which is made once, calls.
  const now = useRef({ onText, onLeave, words })
  now.current = { onText, onLeave, words }
  const first = useRef({ label, text })

  useEffect(() => {
    const host = place.current
    if (host === null) return undefined
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
    const complete = (context: CompletionContext) => {
      const before = context.matchBefore(/[\w$@.*-]+/)
      return before === null && !context.explicit ? null : { from: before?.from ?? context.pos, options: optionsOf(now.current.words) }
    }
    const made = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: first.current.text,
        extensions: [
          lineNumbers(),
          history(),
          indentOnInput(),
          bracketMatching(),
          yaml(),
          syntaxHighlighting(colours),
          lintGutter(),
          autocompletion({ override: [complete], activateOnTyping: true }),
          keymap.of([...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap]),
          keymap.of([{ key: 'Escape', run: () => (now.current.onLeave(), true) }]),
          EditorView.domEventHandlers({ beforeinput: replaceLines }),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': first.current.label, 'aria-multiline': 'true' }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) now.current.onText(state.doc.toString())
          }),
          look,
        ],
      }),
    })
    view.current = made
    return () => {
      made.destroy()
      view.current = undefined
    }
  }, [])

  useEffect(() => {
    const editor = view.current
    if (editor === undefined || editor.state.doc.toString() === text) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } })
  }, [text])

  useEffect(() => {
    const editor = view.current
    if (editor !== undefined)
      editor.dispatch(
        setDiagnostics(
          editor.state,
          marks.map((mark) => diagnosticOf(mark, editor.state.doc)),
        ),
      )
  }, [marks])

  return <div ref={place} className="code" />
}

/**
 * What takes the place of several lines is put there by the editor: a browser that joins lines itself writes styles into them, which the
 * page does not allow.
 */
function replaceLines(event: InputEvent, view: EditorView): boolean {
  const { inputType, data, isComposing } = event
  const { doc, selection } = view.state
  const { from, to } = selection.main
  if (isComposing || (inputType !== 'insertText' && !inputType.startsWith('deleteContent'))) return false
  if (doc.lineAt(from).number === doc.lineAt(to).number) return false
  event.preventDefault()
  view.dispatch(view.state.replaceSelection(inputType === 'insertText' ? (data ?? '') : ''), {
    userEvent: 'input.type',
    scrollIntoView: true,
  })
  return true
}

/** Under the word where something is wrong; where the text has changed since, as near as there is one. */
function diagnosticOf({ line, column, message }: Mark, doc: Text): Diagnostic {
  const { from, to, text } = doc.line(Math.min(Math.max(1, line), doc.lines))
  const start = Math.min(from + Math.max(0, column - 1), to)
  const word = /^[\w.*$@-]+|^\S/.exec(text.slice(start - from))
  return { from: start, to: start + (word?.[0].length ?? 0), severity: 'error', message }
}

function optionsOf(words: EditorProps['words']): readonly Completion[] {
  return Object.entries(words).flatMap(([detail, labels]) => labels.map((label) => ({ label, detail })))
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--ink)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'var(--bad)' },
])

/** The colours of the page. What it draws of its own as images is drawn as text: the page loads none that are written into a style. */
const look = EditorView.theme({
  '&': { color: 'var(--ink)', background: 'var(--page)', border: '1px solid var(--line)', borderRadius: '4px', fontSize: '0.9rem' },
  '&.cm-focused': { outline: '3px solid var(--accent)', outlineOffset: '2px' },
  '.cm-scroller': { minHeight: '12rem', maxHeight: '30rem', overflow: 'auto', fontFamily: 'ui-monospace, monospace', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-gutters': { color: 'var(--ink)', background: 'var(--quiet)', border: 'none' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)' },
  '.cm-lint-marker-error': { content: 'normal' },
  '.cm-lint-marker-error::before': { content: '"!"', color: 'var(--bad)', fontWeight: 'bold' },
  '.cm-tooltip': { color: 'var(--ink)', background: 'var(--page)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--on-accent)', background: 'var(--accent)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-matchingBracket': { background: 'var(--quiet)', outline: '1px solid var(--line)' },
})
