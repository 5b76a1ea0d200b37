import { useState } from 'react'

/** Text to be used elsewhere, as it is. */
export function Snippet({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <figure className="snippet">
      <figcaption>
        <span>{name}</span>
        <CopyButton what={name} text={text} label="Copy" />
      </figcaption>
      <pre tabIndex={0} aria-label={name}>
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
