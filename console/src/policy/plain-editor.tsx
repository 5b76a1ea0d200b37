/** What an editor of YAML takes, and the plain one: until the other is loaded, and where it cannot be. */

/** Something wrong at a place; both from 1. */
export interface Mark {
  readonly line: number
  readonly column: number
  readonly message: string
}

export interface EditorProps {
  readonly label: string
  readonly text: string
  readonly marks: readonly Mark[]
  /** What may be offered while somebody types: what it is -> words. */
  readonly words: Readonly<Record<string, readonly string[]>>
  readonly onText: (text: string) => void
  /** Somebody wants to go on with the keyboard. */
  readonly onLeave: () => void
}

export function PlainEditor({ label, text, onText }: Pick<EditorProps, 'label' | 'text'> & { readonly onText?: EditorProps['onText'] }) {
  return (
    <textarea
      aria-label={label}
      rows={Math.min(30, Math.max(8, text.split('\n').length + 1))}
      spellCheck={false}
      value={text}
      readOnly={onText === undefined}
      onChange={({ target }) => onText?.(target.value)}
    />
  )
}
