/** HTML as a value of its own: what is put into it is escaped, unless it was made here itself. Pure. */

/** Text that is HTML. Only `html` makes it, so that no text of anybody's becomes markup by mistake. */
export class Html {
  // Private, so that no object that merely looks like one is taken for it.
  readonly #text: string

  /** For `html` alone: `text` is markup as it stands. */
  private constructor(text: string) {
    this.#text = text
  }

  /** Markup of a template, with values in its gaps. */
  static from(strings: readonly string[], values: readonly HtmlValue[]): Html {
    let text = strings[0] ?? ''
    values.forEach((value, index) => {
      text += Html.#textOf(value) + (strings[index + 1] ?? '')
    })
    return new Html(text)
  }

  static #textOf(value: HtmlValue): string {
    if (value === undefined) return ''
    if (value instanceof Html) return value.#text
    if (typeof value === 'object') return value.map((part) => Html.#textOf(part)).join('')
    return escaped(String(value))
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a gap: nothing for undefined, a list one after the other. */
export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[]

/** HTML with every value escaped, for text and for attributes in double quotes; nothing else may stand around a gap. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.from(strings, values)
}

const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => references[character] ?? '')
}
