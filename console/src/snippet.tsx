import { useState } from 'react'

interface SnippetProps {
  readonly name: string
  readonly text: string
  /** Nothing of it is to be missed: lines are broken, and nothing has to be scrolled to. */
  readonly isWhole?: boolean
}

/** Text to be used elsewhere, as it is. */
export function Snippet({ name, text, isWhole = false }: SnippetProps) {
  return (
    <figure className="snippet">
      <figcaption>
        <span>{name}</span>
        <CopyButton what={name} text={text} label="Copy" />
      </figcaption>
      <pre tabIndex={0} aria-label={name} className={isWhole ? 'whole' : undefined}>
        {text}
      </pre>
    </figure>
  )
}

interface CopyButtonProps {
  readonly what: string
  readonly text: string
  /** What stands on the button, where that says less than its name. */
  readonly label?: string
}

/** Browsers hand text on only from pages that came over TLS or from this machine. */
export function CopyButton({ what, text, label = `Copy ${what}` }: CopyButtonProps) {
  const [said, setSaid] = useState('')
  const canCopy = window.isSecureContext
  const copy = (): void => {
    if (!canCopy) return
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('Your browser does not allow it.'),
    )
  }
  return (
    <span>
      <span role="status">{canCopy ? said : 'Needs HTTPS.'} </span>
      <button type="button" aria-label={`Copy ${what}`} aria-disabled={!canCopy} onClick={copy}>
        {label}
      </button>
    </span>
  )
}
