/** The values of what a registry document leaves open: from the person who adds the server, the document, or the environment. Pure. */
import type { DocumentInput } from './server-document.ts'

/** What a person has given with `--set NAME=VALUE`, in order. */
export type GivenValues = ReadonlyMap<string, readonly string[]>

/** Values as the configuration has them; or the names that somebody has to say something about. */
export interface Filled {
  readonly values: readonly string[]
  /** Variables of the environment that a value refers to, with what they are for. */
  readonly variables: ReadonlyMap<string, string>
  /** Names without a value, of what must have one. */
  readonly missing: readonly string[]
}

const nothing: Filled = { values: [], variables: new Map(), missing: [] }

/** The values of an input. A secret never stands in the configuration: it becomes a reference to a variable. */
export function filled(name: string, input: DocumentInput, given: GivenValues): Filled {
  if (input.value !== undefined) return template(input.value, input.variables, given)
  if (input.isSecret) return input.isRequired || given.has(name) ? reference(name, input.description) : nothing
  const own = given.get(name) ?? (input.default === undefined ? undefined : [literal(input.default)])
  if (own !== undefined) return { ...nothing, values: own }
  return input.isRequired ? { ...nothing, missing: [name] } : nothing
}

/** Text with `{name}` for its variables; what stands in braces and is no variable stays. */
export function template(text: string, variables: DocumentInput['variables'], given: GivenValues): Filled {
  const referred = new Map<string, string>()
  const missing: string[] = []
  const value = text
    .split(/(\{[^{}]*\})/)
    .map((part) => {
      const name = part.slice(1, -1)
      const input = part.startsWith('{') && Object.hasOwn(variables, name) ? variables[name] : undefined
      if (input === undefined) return literal(part)
      // A variable in a text that is given always stands for something.
      const inner = filled(name, { ...input, isRequired: true, variables: {} }, given)
      for (const [variable, what] of inner.variables) referred.set(variable, what)
      missing.push(...inner.missing)
      return inner.values.join('')
    })
    .join('')
  return { values: missing.length > 0 ? [] : [value], variables: referred, missing }
}

function reference(name: string, description: string | undefined): Filled {
  const variable = variableName(name)
  return { values: [`\${${variable}}`], variables: new Map([[variable, description ?? '']]), missing: [] }
}

/** The name of a variable of the environment for what the document calls so: `x-api-key` is `X_API_KEY`. */
function variableName(name: string): string {
  const plain = name.replaceAll(/\W/g, '_')
  const upper = plain === name && /^[A-Z]/.test(name) ? name : plain.toUpperCase()
  return /^\d/.test(upper) ? `_${upper}` : upper
}

/** Text of a stranger: what looks like a reference in it is none. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$')
}
