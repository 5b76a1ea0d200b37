/** What a registry document becomes here: a package that is installed, or an address that is used. Pure. */
import { TurnwardError } from '../../core/error.ts'
import { filled, template, type Filled, type GivenValues } from './document-inputs.ts'
import { parsePackage, type PackageReference } from './package-reference.ts'
import type { DocumentArgument, DocumentPackage, DocumentRemote, ServerDocument } from './server-document.ts'

export interface PlannedPackage {
  readonly kind: 'package'
  readonly reference: PackageReference
  /** The program of the package, where the document names one. */
  readonly bin: string | undefined
  /** Options of the interpreter. */
  readonly runtime: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** SHA-256 of the file it is to be installed from, in hexadecimal. */
  readonly fileSha256: string | undefined
}

export interface PlannedRemote {
  readonly kind: 'remote'
  readonly entry: { readonly transport: 'http'; readonly url: string; readonly headers?: Readonly<Record<string, string>> }
}

export interface DocumentPlan {
  readonly becomes: PlannedPackage | PlannedRemote
  /** Variables the gateway must have in its environment, with what they are for. */
  readonly variables: ReadonlyMap<string, string>
  readonly notes: readonly string[]
}

/** The package that can be installed, else the address that can be used. Throws `request.invalid` where there is neither, or something is to be said first. */
export function planDocument(document: ServerDocument, given: GivenValues, wantsRemote: boolean): DocumentPlan {
  const one = document.packages.find(({ registryType, transport }) => /^(?:npm|pypi)$/.test(registryType) && transport.type === 'stdio')
  const remote = document.remotes.find(({ type }) => type === 'streamable-http')
  if (one !== undefined && !wantsRemote) return planPackage(document, one, given)
  if (remote !== undefined) return planRemote(document, remote, given)
  if (one !== undefined) throw refused(document, 'it has no address that speaks Streamable HTTP', 'Add it without `--remote`.')
  const offered = [
    ...document.packages.map(({ registryType, transport }) => `${registryType} (${transport.type})`),
    ...document.remotes.map(({ type }) => type),
  ]
  const image = document.packages.find(({ registryType }) => registryType === 'oci')
  throw refused(
    document,
    `it offers ${offered.length === 0 ? 'nothing to run' : offered.join(', ')}; packages of npm and PyPI that speak over stdio are installed, and addresses of type streamable-http are used`,
    image === undefined
      ? 'Write the entry of the server yourself.'
      : `Images are not installed: write an entry with \`runner: docker\` and the image \`${image.identifier}\` yourself.`,
  )
}

function planPackage(document: ServerDocument, one: DocumentPackage, given: GivenValues): DocumentPlan {
  const { registryType, identifier, version, environmentVariables, packageArguments, runtimeArguments, runtimeHint } = one
  if (version === undefined || !/^\d/.test(version))
    throw refused(document, `its package has no exact version (\`${version ?? ''}\`)`, 'Use a document that names one.')
  const reference = parsePackage(`${registryType}:${identifier}@${version}`)
  const all: Filled[] = []
  const keep = (what: Filled): readonly string[] => (all.push(what), what.values)
  const args = packageArguments.flatMap((argument) => argumentsOf(argument, given, keep))
  const before = runtimeArguments.flatMap((argument) => argumentsOf(argument, given, keep))
  const env: Record<string, string> = {}
  for (const input of environmentVariables) {
    const [value] = keep(filled(input.name, input, given))
    if (value !== undefined) env[input.name] = value
  }
  checkFilled(document, all)
  const ran = runtimeOf(runtimeHint, before, identifier)
  const unset = environmentVariables.filter(({ name, isRequired }) => !isRequired && env[name] === undefined).map(({ name }) => name)
  return {
    becomes: { kind: 'package', reference, bin: ran.bin, runtime: ran.runtime, args, env, fileSha256: one.fileSha256 },
    variables: new Map(all.flatMap(({ variables }) => [...variables])),
    notes: [
      ...(one.registryBaseUrl === undefined
        ? []
        : [`the document names the registry ${one.registryBaseUrl}; the package manager asks its own`]),
      ...(ran.leftOut.length === 0
        ? []
        : [`left out, because ${runtimeHint ?? 'what it is for'} is not run here: ${ran.leftOut.join(' ')}`]),
      ...(unset.length === 0 ? [] : [`it also knows the variables ${unset.join(', ')} (\`--set NAME=VALUE\`)`]),
    ],
  }
}

function planRemote(document: ServerDocument, remote: DocumentRemote, given: GivenValues): DocumentPlan {
  const url = template(remote.url, remote.variables, given)
  const all: Filled[] = [url]
  const headers: Record<string, string> = {}
  for (const header of remote.headers) {
    const own = filled(header.name, { ...header, variables: { ...remote.variables, ...header.variables } }, given)
    all.push(own)
    const [value] = own.values
    if (value !== undefined) headers[header.name] = value
  }
  checkFilled(document, all)
  const [address = ''] = url.values
  return {
    becomes: { kind: 'remote', entry: { transport: 'http', url: address, ...(Object.keys(headers).length === 0 ? {} : { headers }) } },
    variables: new Map(all.flatMap(({ variables }) => [...variables])),
    notes: [],
  }
}

function argumentsOf(argument: DocumentArgument, given: GivenValues, keep: (what: Filled) => readonly string[]): readonly string[] {
  const name = argument.name ?? argument.valueHint ?? ''
  const values = keep(filled(name, argument, given))
  const used = argument.isRepeated ? values : values.slice(0, 1)
  if (argument.type === 'positional') return used
  // A switch is there or not; it has no value.
  if (argument.format === 'boolean') return used[0] === 'true' ? [name] : []
  return used.flatMap((value) => [name, value])
}

/** What of the options of a package runner matters to who installs the package: which program it is, and what is for Node itself. */
function runtimeOf(hint: string | undefined, args: readonly string[], identifier: string) {
  if (hint === 'node') return { bin: undefined, runtime: args, leftOut: [] }
  const isPackage = (part: string): boolean =>
    part === identifier || (/^(?:@|==)/.test(part.slice(identifier.length)) && part.startsWith(identifier))
  const leftOut: string[] = []
  let bin: string | undefined
  for (let at = 0; at < args.length; at += 1) {
    const part = args[at] ?? ''
    if (/^(?:-y|--yes|-q|--quiet)$/.test(part)) continue
    if (/^(?:--from|-p|--package)$/.test(part)) {
      at += 1
      if (!isPackage(args[at] ?? '')) leftOut.push(part, args[at] ?? '')
    } else if (part.startsWith('-') || bin !== undefined || isPackage(part)) {
      if (!isPackage(part)) leftOut.push(part)
    } else bin = part
  }
  return { bin, runtime: [], leftOut }
}

function checkFilled(document: ServerDocument, all: readonly Filled[]): void {
  const missing = [...new Set(all.flatMap((one) => one.missing))]
  if (missing.length === 0) return
  throw refused(
    document,
    `it needs a value for ${missing.map((name) => `\`${name}\``).join(', ')}`,
    `Add ${missing.map((name) => `\`--set ${name}=…\``).join(' ')}.`,
  )
}

function refused({ name }: ServerDocument, why: string, fix: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject: name, why, fix })
}
