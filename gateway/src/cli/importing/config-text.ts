/**
 * Values of a client's file as the configuration has them: references in our form, `$` standing for itself, and a variable
 * in the place of every secret.
 */
import { posix } from 'node:path'
import { clientParts, type ClientPart, type Surroundings } from './client-references.ts'
import { variableName, type ImportedVariables } from './imported-variables.ts'
import { isHarmless, isPlainAddress, isSecretArgument, isSecretName } from './telling-secrets.ts'

export interface TextContext {
  /** Name of the server in the configuration. */
  readonly server: string
  readonly around: Surroundings
  readonly inputs: ReadonlyMap<string, string>
  readonly variables: ImportedVariables
  /** Receives what cannot be taken over. */
  readonly findings: string[]
}

/** A value that is nothing but text, with what the client's file means filled in; undefined when it refers to something. */
export function plainText(value: string, around: Surroundings): string | undefined {
  const parts = clientParts(value, around)
  if (parts.length === 0) return ''
  const [only] = parts
  return parts.length === 1 && only?.kind === 'text' ? only.text : undefined
}

/** The value of an environment variable. */
export function variableText(name: string, value: string, context: TextContext): string {
  return assembled(value, context, (text, isWhole) => (isHarmless(name, text) || (!isWhole && isGlue(text)) ? undefined : name))
}

/** An argument. `before`: the word in front of it, which may be an option that it belongs to. */
export function argumentText(value: string, before: string, place: number, context: TextContext): string {
  const [, option, inner] = /^(-{0,2}[A-Za-z][\w.-]*)=(.*)$/s.exec(value) ?? []
  if (option !== undefined && inner !== undefined) return `${option}=${optionText(option, inner, context)}`
  if (/^--?[A-Za-z]/.test(before) && !before.includes('=') && !value.startsWith('-')) {
    const header = /^(?:-H|--headers?)$/.test(before) ? /^([\w-]+)(:\s*)(.*)$/s.exec(value) : null
    if (header !== null) return `${header[1]}${header[2]}${headerText(header[1] ?? '', header[3] ?? '', context)}`
    if (isSecretName(before)) return optionText(before, value, context)
  }
  return assembled(value, context, (text) => (isSecretArgument(text) ? `${context.server}_ARGUMENT_${place}` : undefined))
}

function optionText(option: string, value: string, context: TextContext): string {
  const wanted = ofServer(context, option)
  return assembled(value, context, (text, isWhole) => {
    if (!isWhole && isGlue(text)) return undefined
    return (isSecretName(option) && !isHarmless(option, text)) || isSecretArgument(text) ? wanted : undefined
  })
}

/** The value of a header. `Bearer` and the like stay readable. */
export function headerText(name: string, value: string, context: TextContext): string {
  const [, scheme = '', rest = ''] = /^((?:Bearer|Basic|Token|ApiKey)\s+)?(.*)$/is.exec(value.trim()) ?? []
  const wanted = ofServer(context, /^authorization$/i.test(name) ? 'token' : name)
  const text = assembled(rest, context, (part, isWhole) =>
    (scheme === '' && isHarmless(name, part)) || (!isWhole && isGlue(part)) ? undefined : wanted,
  )
  return `${scheme}${text}`
}

/** An address: one with a user, a query or a key in its path is a secret as a whole. */
export function addressText(value: string, context: TextContext): string {
  return assembled(value, context, (text, isWhole) =>
    isWhole
      ? isPlainAddress(text)
        ? undefined
        : `${context.server}_url`
      : isSecretArgument(text) && !isGlue(text)
        ? `${context.server}_url`
        : undefined,
  )
}

/** A name for a variable that says whose it is. */
function ofServer({ server }: TextContext, name: string): string {
  return variableName(name).startsWith(`${variableName(server)}_`) ? name : `${server}_${name}`
}

/** Between references there is punctuation, and the names of things. */
function isGlue(text: string): boolean {
  return text.length <= 60 && /^[A-Za-z\s:/@.,;=&?-]*$/.test(text) && !/[A-Za-z]{15}/.test(text)
}

/** `variableFor`: the name of the variable that stands for a text, or undefined for one that may be written down. */
function assembled(value: string, context: TextContext, variableFor: (text: string, isWhole: boolean) => string | undefined): string {
  const parts = clientParts(value, context.around)
  return parts.map((part) => written(part, parts.length === 1, context, variableFor)).join('')
}

function written(
  part: ClientPart,
  isWhole: boolean,
  { server, around, inputs, variables, findings }: TextContext,
  variableFor: (text: string, isWhole: boolean) => string | undefined,
): string {
  switch (part.kind) {
    case 'text': {
      const wanted = variableFor(part.text, isWhole)
      return wanted === undefined ? part.text.replaceAll('$', '$$$$') : variables.holding(server, wanted, part.text)
    }
    case 'variable':
      return variables.named(server, part.name, { fallback: part.fallback && defaultText(part.name, part.fallback, server, variables) })
    case 'input':
      return variables.named(server, inputName(part.id), { about: inputs.get(part.id) ?? '' })
    case 'file': {
      const path = part.path.replace(/^~(?=\/)/, around.home)
      if (!posix.isAbsolute(path) || path.includes('}')) {
        findings.push(`it refers to a file by a path from a folder that only the client knows: \`\${file:${part.path}}\``)
        return ''
      }
      return `\${file:${path}}`
    }
    case 'unknown':
      findings.push(`\`${part.source}\` means something only in the client: replace it in the client's file, or in the entry`)
      return part.source.replaceAll('$', '$$$$')
  }
}

/** A default may be a secret like any other value; it stands in a variable then that is used where the first is not set. */
function defaultText(name: string, value: string, server: string, variables: ImportedVariables): string {
  return isHarmless(name, value) ? value.replaceAll('$', '$$$$') : variables.holding(server, `${server}_${name}_default`, value)
}

/** The variable for what a client asks a person for. */
export function inputName(id: string): string {
  return id
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toUpperCase()
}
