/**
 * Texts of another gateway's file as our configuration has them: its references in our form, `$` standing for itself, and a
 * variable in the place of every secret.
 */
import { isHarmless, isPlainAddress, isSecretName } from '../telling-secrets.ts'
import { looksSecret } from '../../../config/masking.ts'
import type { ImportedVariables } from '../imported-variables.ts'
import type { Foreign } from './foreign-value.ts'
import type { Samples } from './samples.ts'

/** A text in parts: text that stands for itself, a variable, or something in a store of secrets that only the other gateway can ask. */
export type ForeignPart =
  | { readonly text: string }
  | { readonly variable: string; readonly fallback?: string | undefined }
  | { readonly stored: string }

export interface Written {
  readonly text: string
  /** What is different about it. */
  readonly why: string | undefined
}

/** A text that stands for itself in our configuration. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}

const addressSample = 'https://not-known-yet.example'

export class ForeignTexts {
  readonly #variables: ImportedVariables
  readonly #samples: Samples
  readonly #parts: (text: string) => readonly ForeignPart[]
  /** Variables whose values the file itself has. */
  readonly #given: ReadonlyMap<string, Foreign>

  constructor(
    variables: ImportedVariables,
    samples: Samples,
    parts: (text: string) => readonly ForeignPart[],
    given: ReadonlyMap<string, Foreign> = new Map(),
  ) {
    this.#variables = variables
    this.#samples = samples
    this.#parts = parts
    this.#given = given
  }

  /** The text, when it refers to nothing. */
  plain(text: string): string | undefined {
    const parts = this.#parts(text)
    const [only] = parts
    return parts.length === 0 ? '' : parts.length === 1 && only !== undefined && 'text' in only ? only.text : undefined
  }

  /** A secret: its value is in a variable, called as wanted or like it. */
  secret(text: string, owner: string, wanted: string, sample?: string): Written {
    return this.#written(text, owner, wanted, () => false, sample)
  }

  /** The value of a header: `Bearer` and the like stay readable. */
  header(name: string, text: string, owner: string): Written {
    const [, scheme = '', rest = ''] = /^((?:Bearer|Basic|Token|ApiKey)\s+)?(.*)$/is.exec(text.trim()) ?? []
    const wanted = `${owner}_${/^authorization$/i.test(name) ? 'token' : name}`
    const { text: written, why } = this.#written(rest, owner, wanted, (part) => scheme === '' && isHarmless(name, part))
    return { text: `${scheme}${written}`, why }
  }

  /** An address: one that may hold a key is a secret as a whole. `sample`: one of its kind, while the variable is not set. */
  address(text: string, owner: string, sample = addressSample): Written {
    return this.#written(text, owner, `${owner}_url`, (part, isWhole) => (isWhole ? isPlainAddress(part) : isGlue(part)), sample)
  }

  /** Any other setting. `name`: theirs, which may say that it is a secret. `sample`: as for an address. */
  setting(name: string, text: string, owner: string, sample?: string): Written {
    return this.#written(
      text,
      owner,
      `${owner}_${name}`,
      (part, isWhole) => isHarmless(name, part) || (!isWhole && isGlue(part) && !isSecretName(name)),
      sample,
    )
  }

  /** What people have written: words, patterns. Only what looks like a secret is one. */
  words(text: string, owner: string, wanted: string): Written {
    return this.#written(text, owner, wanted, (part) => !looksSecret(part))
  }

  /** A setting whose form is known: what has that form is no secret. */
  shaped(name: string, shape: RegExp, text: string, owner: string, sample: string): Written {
    return this.#written(text, owner, `${owner}_${name}`, (part, isWhole) => isWhole && shape.test(part), sample)
  }

  /** A variable that the other gateway reads without its file naming it. */
  variable(name: string, owner: string, sample?: string, fallback?: string): string {
    return this.#variable(name, fallback, owner, name, sample)
  }

  #written(text: string, owner: string, wanted: string, mayBeRead: (part: string, isWhole: boolean) => boolean, sample?: string): Written {
    const parts = this.#parts(text)
    const stored = parts.flatMap((part) => ('stored' in part ? [part.stored] : []))
    const written = parts.map((part) => this.#part(part, owner, wanted, mayBeRead, parts.length === 1, sample)).join('')
    return {
      text: written,
      why: stored.length === 0 ? undefined : `${stored.join(', ')} cannot be asked from here: set the variable ${written}`,
    }
  }

  #part(
    part: ForeignPart,
    owner: string,
    wanted: string,
    mayBeRead: (part: string, isWhole: boolean) => boolean,
    isWhole: boolean,
    sample: string | undefined,
  ): string {
    if ('stored' in part) return this.#sampled(this.#variables.named(owner, wanted, { about: part.stored }), sample)
    if ('variable' in part) return this.#variable(part.variable, part.fallback, owner, wanted, sample)
    if (mayBeRead(part.text, isWhole)) return literal(part.text)
    const reference = this.#variables.holding(owner, wanted, part.text)
    this.#samples.set(nameOf(reference), part.text)
    return reference
  }

  #variable(name: string, fallback: string | undefined, owner: string, wanted: string, sample: string | undefined): string {
    const given = this.#given.get(name)
    const value = given === undefined ? undefined : this.plain(given.text() ?? '')
    if (given !== undefined && value !== undefined && value !== '') {
      const reference = this.#variables.holding(owner, name, value)
      this.#samples.set(nameOf(reference), value)
      given.carried(`\${${nameOf(reference)}}`, `it is a variable of the gateway's environment here: set ${nameOf(reference)}`)
      return reference
    }
    if (fallback !== undefined && fallback !== '') {
      const written = isHarmless(name, fallback) ? literal(fallback) : this.#variables.holding(owner, `${wanted}_default`, fallback)
      if (written.startsWith('${')) this.#samples.set(nameOf(written), fallback)
      if (!/[{}]/.test(written) || written.startsWith('${')) {
        this.#samples.set(name, sample ?? fallback)
        return this.#variables.named(owner, name, { fallback: written })
      }
    }
    return this.#sampled(this.#variables.named(owner, name), sample)
  }

  #sampled(reference: string, sample: string | undefined): string {
    if (sample !== undefined) this.#samples.set(nameOf(reference), sample)
    return reference
  }
}

function nameOf(reference: string): string {
  return /^\$\{([A-Za-z_]\w*)/.exec(reference)?.[1] ?? ''
}

/** Between references there is punctuation, and the names of things. */
function isGlue(text: string): boolean {
  return text.length <= 60 && /^[A-Za-z0-9\s:/@.,_-]*$/.test(text) && !/[A-Za-z0-9]{15}/.test(text)
}
