/** A server that a client starts: installed where it is a package, else run from where it is, in the sandbox either way. */
import { basename, isAbsolute, join, resolve } from 'node:path'
import { fetchingCommand, insteadOf, programName, type FetchingCommand } from '../../config/fetching-commands.ts'
import { parsePackage } from '../servers/package-reference.ts'
import type { EntryWishes } from '../servers/server-entry.ts'
import { containerBecomes } from './becoming-container.ts'
import { argumentText, plainText, variableText, type TextContext } from './config-text.ts'
import type { DeclaredCommand } from './declared-server.ts'
import { namedHosts } from './named-hosts.ts'
import { cannot, type Made } from './planned-server.ts'
import { seenPaths, type PathQuestions } from './seen-paths.ts'
import { isSecretName } from './telling-secrets.ts'
import { uvRun } from './unwrapping.ts'

export interface CommandQuestions extends PathQuestions {
  /** Where the sandbox finds a program by its bare name. */
  readonly inSandbox: (name: string) => string | undefined
  /** Where the person's own search path has it. */
  readonly onPath: (name: string) => string | undefined
  /** Hosts the person named for this server. */
  readonly network: readonly string[]
}

/** `declared` without what only starts another program. */
export function commandBecomes(declared: DeclaredCommand, context: TextContext, questions: CommandQuestions): Made {
  const fetching = fetchingCommand(declared.command)
  if (fetching !== undefined && /^(?:docker|podman) (?:container )?run$/.test(fetching.program))
    return containerBecomes(fetching.program, declared.command.slice(fetching.program.split(' ').length), declared, context, questions)
  return fetching === undefined ? localBecomes(declared, context, questions) : packageBecomes(fetching, declared, context, questions)
}

/** Options of `npx`, `uvx` and their kind that change nothing about which package it is and where it is from. */
const sameThing: ReadonlySet<string> = new Set(
  `-y --yes -q --quiet -s --silent --prefer-offline --prefer-online --offline --refresh --no-cache --isolated --no-progress --no-config
  --native-tls --python -p --package --from --spec --cache --loglevel --no-install --ignore-existing --bun --managed-python -v --verbose`.split(
    /\s+/,
  ),
)
/** Variables that lead a package manager to another registry. */
const leadsElsewhere =
  /^(?:npm_config_(?:registry|userconfig|@.*)|uv_(?:index.*|default_index|extra_index.*|find_links)|pip_(?:index_url|extra_index_url|find_links))$/i

function packageBecomes(fetching: FetchingCommand, declared: DeclaredCommand, context: TextContext, questions: CommandQuestions): Made {
  const { program, package: reference, bin, args, options } = fetching
  if (reference === undefined)
    return cannot(
      `\`${program}\` fetches something that is no package of a registry with one version`,
      `Instead: ${insteadOf(fetching, context.server)}`,
    )
  const others = [
    ...options.filter((option) => !sameThing.has(option) && option !== '--with'),
    ...Object.keys(declared.env).filter((name) => leadsElsewhere.test(name)),
  ]
  if (others.length > 0)
    return cannot(
      `\`${others[0]}\` may decide what is fetched, or from where`,
      `If it is a package of the public registry: \`turnward servers add ${reference.slice(0, reference.indexOf(':'))}:NAME --name ${context.server}\``,
    )
  let parsed
  try {
    parsed = parsePackage(reference)
  } catch {
    return cannot(
      `\`${reference}\` names no package that can be installed`,
      'Write its exact name and version in the client and import again.',
    )
  }
  const { wishes, findings, notes } = wishesOf(args, declared, parsed.name, context, questions)
  const before = declared.command.slice(0, declared.command.length - args.length)
  if (options.includes('--with')) findings.push('it was run with more packages (`--with`), which are not installed beside it')
  if (before.some((word) => /^[\w.-]+\[[\w,.-]+\]/.test(word))) notes.push('its extras (`[…]`) are not installed')
  if (wishes.network.length === 0) {
    const isKeyed = Object.keys(declared.env).some(isSecretName)
    if (isKeyed)
      findings.push(`it has a key and reaches no host: say which with \`--network ${context.server}=HOST\`, or in its \`network\``)
    else notes.push('reaches no host: if it has to, list them in its `network`')
  }
  return { becomes: { kind: 'install', reference: parsed, bin, wishes }, findings, notes }
}

function localBecomes(declared: DeclaredCommand, context: TextContext, questions: CommandQuestions): Made {
  const words = declared.command.map((word) => plainText(word, context.around))
  const name = words[0]
  if (name === undefined) return cannot('its program is named by a variable', 'Name the program itself in the client and import again.')
  const program = programName(name)
  if (/\\|^[A-Za-z]:/.test(name))
    return cannot('its program is at a path of Windows', 'Import on the machine where it runs, or correct the path.')
  if (
    /^(?:ba|z|da|fi|k)?sh$|^powershell$|^pwsh$|^cmd$/.test(program) &&
    declared.command.some((word) => /^(?:-\w*c|-Command|\/c)$/i.test(word))
  )
    return cannot(
      'it is a line for a shell, which may fetch and start anything',
      'Name the program of the server and its arguments themselves.',
    )
  if (program === 'sudo') return cannot('it is started as root', 'Name the program without `sudo`.')
  const base = folderOf(declared, context, questions.home)
  const uv = uvRun(words.map((word) => word ?? ''))
  const run = uv === undefined ? interpreted(words, base, questions) : environmentOf(uv, base, questions)
  if ('why' in run) return cannot(run.why, run.todo)
  const skipped = declared.command.length - run.left
  const { wishes, findings, notes } = wishesOf(declared.command.slice(skipped), declared, undefined, context, questions)
  if (declared.cwd !== undefined) notes.push('the client starts it in a folder; here it starts in an empty one of its own')
  return { becomes: { kind: 'command', program: run.program, wishes }, findings, notes }
}

type Run =
  /** `left`: how many words at the end are arguments. */
  { readonly program: readonly string[]; readonly left: number } | { readonly why: string; readonly todo: string }

const interpreters = /^(?:node|bun|deno|python[\d.]*|ruby|perl|php|java|sh|bash)$/

/** The program by a path or name that the sandbox finds, and its script by its path. */
function interpreted(words: readonly (string | undefined)[], base: string | undefined, questions: CommandQuestions): Run {
  const [name = '', script] = words
  const program = programOf(name, base, questions)
  if (program === undefined)
    return {
      why: `its program \`${basename(name)}\` is not on this machine`,
      todo: 'Install it, or name it by its absolute path in the client, and import again.',
    }
  if (script === undefined || script.startsWith('-') || !interpreters.test(programName(name)))
    return { program: [program], left: words.length - 1 }
  const path = absolute(script, base, questions.home)
  if (path !== undefined && questions.at(path) === 'file') return { program: [program, path], left: words.length - 2 }
  if (!/[/.]/.test(script)) return { program: [program], left: words.length - 1 }
  return {
    why:
      path === undefined
        ? `its script \`${script}\` is named from a folder that only the client knows`
        : `its script ${path} is not on this machine`,
    todo: 'Name the script by its absolute path in the client and import again.',
  }
}

/** `uv run` would fetch and build; the environment it has made is run as it is. */
function environmentOf(
  { folder, run }: { readonly folder: string | undefined; readonly run: readonly string[] },
  base: string | undefined,
  { at, home }: CommandQuestions,
): Run {
  const project = folder === undefined ? base : absolute(folder, base, home)
  if (project === undefined)
    return {
      why: '`uv run` is for a project in a folder that only the client knows',
      todo: 'Name it with `--directory` in the client and import again.',
    }
  const programs = join(project, '.venv/bin')
  if (at(join(programs, 'python')) === undefined)
    return { why: `${project} has no environment yet (.venv)`, todo: `Run \`uv sync\` in ${project} and import again.` }
  const [what = ''] = run
  const python = join(programs, 'python')
  if (/^python[\d.]*$/.test(what)) return { program: [python], left: run.length - 1 }
  if (what.endsWith('.py')) return { program: [python, resolve(project, what)], left: run.length - 1 }
  if (at(join(programs, what)) === 'file') return { program: [join(programs, what)], left: run.length - 1 }
  return { why: `the environment of ${project} has no program \`${what}\``, todo: `Run \`uv sync\` in ${project} and import again.` }
}

function programOf(name: string, base: string | undefined, { at, inSandbox, onPath, home }: CommandQuestions): string | undefined {
  // The gateway brings its own.
  if (name === 'node') return name
  if (!name.includes('/'))
    return inSandbox(name) === undefined
      ? (onPath(name) ?? (name === 'python' && inSandbox('python3') !== undefined ? 'python3' : undefined))
      : name
  const path = absolute(name, base, home)
  if (path !== undefined && at(path) === 'file') return path
  return programName(name) === 'node' ? 'node' : undefined
}

function absolute(path: string, base: string | undefined, home: string): string | undefined {
  const whole = path.replace(/^~(?=\/)/, home)
  if (isAbsolute(whole)) return resolve(whole)
  return base === undefined ? undefined : resolve(base, whole)
}

/** Where relative paths of a server begin: the folder it is started in, or its project's. */
function folderOf({ cwd }: DeclaredCommand, { around }: TextContext, home: string): string | undefined {
  const folder = cwd === undefined ? undefined : plainText(cwd, around)
  return folder === undefined ? around.project : absolute(folder, around.project, home)
}

interface Wished {
  readonly wishes: EntryWishes
  readonly findings: string[]
  readonly notes: string[]
}

/** Arguments, variables, folders and hosts of a server, whatever starts it. */
function wishesOf(
  args: readonly string[],
  declared: DeclaredCommand,
  packageName: string | undefined,
  context: TextContext,
  questions: CommandQuestions,
): Wished {
  const base = folderOf(declared, context, questions.home)
  const plainArgs = args.map((arg) => pathOf(plainText(arg, context.around), base, questions))
  const { env, notes } = environment(declared, context)
  const values = env.map(([, value]) => plainText(value, context.around))
  const words = [...plainArgs, ...values].filter((word) => word !== undefined)
  const seen = seenPaths(words, packageName, questions)
  const { hosts, own } = namedHosts(words)
  const findings = [
    ...seen.findings,
    ...own.map(
      (host) =>
        `it is told of ${host} on this machine, which nothing in a sandbox reaches: run the gateway's server beside it, or give it an address in the network`,
    ),
  ]
  return {
    wishes: {
      args: args.map((arg, index) => {
        const path = plainArgs[index]
        const text = argumentText(arg, args[index - 1] ?? '', index + 1, context)
        // A path is what it is, wherever the gateway runs.
        return path !== undefined && isAbsolute(path) && path !== arg && !text.includes('${') ? path.replaceAll('$', '$$$$') : text
      }),
      mounts: seen.mounts,
      network: [...new Set([...hosts, ...questions.network])],
      env: env.map(([name, value]) => `${name}=${variableText(name, value, context)}`),
    },
    findings,
    notes: [...notes, ...seen.notes],
  }
}

/** An argument that names something here by a path from somewhere, as the absolute path. */
function pathOf(word: string | undefined, base: string | undefined, { at, home }: CommandQuestions): string | undefined {
  if (word === undefined || !/^(?:~(?:\/|$)|\.\.?(?:\/|$))/.test(word)) return word
  const path = word === '~' ? home : absolute(word, base, home)
  return path !== undefined && at(path) !== undefined ? path : word
}

/** What the sandbox sets itself, and what only means something on the client's machine. */
const ownVariables = /^(?:PATH|HOME|USERPROFILE|TMPDIR|TEMP|TMP|APPDATA|LOCALAPPDATA|SystemRoot|ProgramFiles|LD_PRELOAD|LD_LIBRARY_PATH)$/i

function environment(
  { env }: DeclaredCommand,
  { findings }: TextContext,
): { readonly env: readonly (readonly [string, string])[]; readonly notes: string[] } {
  const notes: string[] = []
  const kept = Object.entries(env).filter(([name]) => {
    if (ownVariables.test(name)) {
      notes.push(`the variable \`${name}\` is left out, because the sandbox has its own`)
      return false
    }
    if (/^[A-Za-z_]\w*$/.test(name)) return true
    findings.push('one of its variables has a name that no variable can have, and is left out')
    return false
  })
  return { env: kept, notes }
}
