import { useState } from 'react'

/** Text to be used elsewhere, as it is. Browsers hand it on only from pages that came over TLS or from this machine. */
export function Snippet({ name, text }: { readonly name: string; readonly text: string }) {
  const [said, setSaid] = useState('')
  const canCopy = window.isSecureContext
  const copy = (): void => {
    if (!canCopy) return
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('Your browser does not allow it. Select the text instead.'),
    )
  }
  return (
    <figure className="snippet">
      <figcaption>
        <span>{name}</span>
        <button type="button" aria-label={`Copy ${name}`} aria-disabled={!canCopy} onClick={copy}>
          Copy
        </button>
      </figcaption>
      <pre tabIndex={0} aria-label={name}>
        {text}
      </pre>
      <p role="status">{canCopy ? said : 'To copy by a button this page has to be opened over HTTPS. Select the text instead.'}</p>
    </figure>
  )
}
