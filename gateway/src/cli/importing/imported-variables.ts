/**
 * The environment variables that stand in the configuration for what a client's file has as text. Values are kept here and
 * nowhere else: they go into the environment of a try, and into the file a person asked for.
 */

export interface ImportedVariable {
  readonly name: string
  /** Undefined when no file has it. */
  readonly value: string | undefined
  /** Servers that get it. */
  readonly servers: readonly string[]
  /** What a client says of it when it asks for it. */
  readonly about: string
}

interface Known {
  value: string | undefined
  about: string
  readonly servers: Set<string>
}

export class ImportedVariables {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #known = new Map<string, Known>()
  /** By the name that is a server's own, and the value: what holds it. */
  readonly #held = new Map<string, string>()
  /** By such a name: the number that was given last. */
  readonly #attempts = new Map<string, number>()

  /** `referred`: names the files refer to themselves, which mean what they meant before. */
  constructor(env: Readonly<Record<string, string | undefined>>, referred: Iterable<string>) {
    this.#env = env
    for (const name of referred) this.#known.set(name, { value: undefined, about: '', servers: new Set() })
  }

  /** A reference to a variable that is to hold the value: under this name, or one with the server's before it when that is another's. */
  holding(server: string, wanted: string, value: string): string {
    const plain = variableName(wanted)
    const own = plain.startsWith(`${variableName(server)}_`) ? plain : variableName(`${server}_${wanted}`)
    const held = JSON.stringify([own, value])
    const known = this.#held.get(held)
    if (this.#mayHold(plain, value)) return this.#hold(server, plain, value)
    if (known !== undefined) return this.#hold(server, known, value)
    // Those with lower numbers hold other values, or were the environment's.
    for (let attempt = this.#attempts.get(own) ?? 1; ; attempt += 1) {
      const name = attempt === 1 ? own : `${own}_${attempt}`
      if (!this.#mayHold(name, value)) continue
      this.#attempts.set(own, attempt)
      this.#held.set(held, name)
      return this.#hold(server, name, value)
    }
  }

  #mayHold(name: string, value: string): boolean {
    const known = this.#known.get(name)
    const there = known === undefined ? (Object.hasOwn(this.#env, name) ? this.#env[name] : undefined) : known.value
    return (known === undefined && there === undefined) || there === value
  }

  #hold(server: string, name: string, value: string): string {
    this.#use(server, name).value = value
    return `\${${name}}`
  }

  /** A reference to a variable that the file refers to itself, or asks a person for. `fallback`: as the configuration has it. */
  named(server: string, wanted: string, { fallback, about = '' }: { fallback?: string | undefined; about?: string } = {}): string {
    const name = /^[A-Za-z_]\w*$/.test(wanted) ? wanted : variableName(wanted)
    if (fallback !== undefined) return `\${${name}:-${fallback}}`
    const known = this.#use(server, name)
    if (about !== '') known.about = about
    return `\${${name}}`
  }

  list(): readonly ImportedVariable[] {
    return [...this.#known]
      .filter(([, { servers }]) => servers.size > 0)
      .map(([name, { value, about, servers }]) => ({ name, value, about, servers: [...servers] }))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  #use(server: string, name: string): Known {
    const known = this.#known.get(name) ?? { value: undefined, about: '', servers: new Set<string>() }
    known.servers.add(server)
    this.#known.set(name, known)
    return known
  }
}

/** A text as the name of a variable: `github-token` is `GITHUB_TOKEN`. */
export function variableName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase()
    .slice(0, 60)
  return /^[A-Z]/.test(name) ? name : `VALUE_${name}`
}

/** Values shorter than this are parts of everything. */
const shortestHidden = 6

/** A text in which nobody can read the values: what a server or a package manager says may hold what it was given. */
export function withoutValues(text: string, values: readonly string[]): string {
  return values.filter((value) => value.length >= shortestHidden).reduce((all, value) => all.replaceAll(value, '****'), text)
}
