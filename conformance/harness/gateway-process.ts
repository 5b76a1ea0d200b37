/**
 * Runs the gateway as its users run it: the executable, a configuration file, a port the system chose. Knows the gateway
 * by its command line and its sockets only.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli, type CliResult } from './cli.ts'
import { readRecords, type TurnRecord } from './records.ts'
import { hangsAfterMs, until } from './until.ts'

export interface GatewayOptions {
  /** The configuration: text of the file, or an object that is written as JSON (which is YAML). Port 0 unless it says otherwise. */
  readonly config: string | object
  /** Variables for the gateway and its command line, besides PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** More files, by path relative to the configuration. */
  readonly files?: Readonly<Record<string, string>>
}

export interface RunningGateway extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  /** Folder of the configuration; removed by `stop`. */
  readonly dir: string
  readonly configPath: string
  readonly dataDir: string
  readonly pid: number
  /** Sends a signal and returns at once. */
  signal(name: NodeJS.Signals): void
  /** Resolves with the exit code when the process has ended by itself or by a signal sent before. */
  readonly exited: Promise<number | null>
  /** Ends the process (SIGTERM unless told otherwise) and removes its folder. Resolves with the exit code. Safe to call twice. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** All the gateway wrote to standard error so far. */
  logs(): string
  /** Writes the configuration and waits until the gateway runs it. */
  reload(config: string | object): Promise<void>
  /** Writes the configuration and waits for nothing. */
  writeConfig(config: string | object): Promise<void>
  /** The revision that runs now. */
  revision(): Promise<string>
  /** Runs `turnward <args…>` on this configuration. */
  cli(args: readonly string[], input?: string): Promise<CliResult>
  /** The newest 1000 records of the decision log, oldest first. */
  turnRecords(): Promise<readonly TurnRecord[]>
  /** Polls the decision log until a record fits; records are written shortly after what they tell of. */
  recordThat(fits: (record: TurnRecord) => boolean): Promise<TurnRecord>
}

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url))

/** Starts a gateway and resolves when it says that it is ready; rejects with its log when it ends instead. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const dir = await mkdtemp(join(tmpdir(), 'turnward-conformance-'))
  const configPath = join(dir, 'turnward.yaml')
  for (const [path, text] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text, { mode: 0o600 })
  }
  await writeFile(configPath, textOf(options.config))
  const env = { PATH: process.env.PATH ?? '', HOME: dir, TURNWARD_CONFIG: configPath, ...options.env }
  const child = spawn(process.execPath, [join(repositoryRoot, 'gateway/bin/turnward.mjs'), 'start', '--json', '--config', configPath], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const watched = watch(child)
  let stopped: Promise<number | null> | undefined
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    stopped ??= endProcess(child, watched.exited, signal).finally(() => rm(dir, { recursive: true, force: true }))
    return stopped
  }
  const url = await watched.ready.catch(async (error: unknown) => {
    await stop('SIGKILL')
    throw error
  })

  const revision = async (): Promise<string> => ((await (await fetch(`${url}/healthz`)).json()) as { revision: string }).revision
  const cli = (args: readonly string[], input?: string): Promise<CliResult> => runCli(args, { env, cwd: dir, input })
  // Written beside and renamed over: an editor that saves properly never shows half a file.
  const writeConfig = async (config: string | object): Promise<void> => {
    await writeFile(`${configPath}.new`, textOf(config))
    await rename(`${configPath}.new`, configPath)
  }
  const turnRecords = (): Promise<readonly TurnRecord[]> => readRecords(cli)
  return {
    url,
    dir,
    configPath,
    dataDir: join(dir, '.turnward'),
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    exited: watched.exited,
    stop,
    logs: () => watched.logs(),
    revision,
    cli,
    writeConfig,
    turnRecords,
    recordThat: (fits) => until('a record in the decision log', async () => (await turnRecords()).find(fits)),
    async reload(config) {
      const before = await revision()
      await writeConfig(config)
      await until('the new revision', async () => ((await revision()) === before ? undefined : true))
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

function textOf(config: string | object): string {
  if (typeof config === 'string') return config
  return `${JSON.stringify({ listen: { port: 0 }, ...config }, undefined, 2)}\n`
}

const children = new Set<ChildProcess>()
// A test run that dies must not leave gateways behind.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

interface Watched {
  readonly ready: Promise<string>
  readonly exited: Promise<number | null>
  logs(): string
}

function watch(child: ChildProcess): Watched {
  children.add(child)
  let errors = ''
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      children.delete(child)
      resolve(code)
    })
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const line = output.split('\n').find((one) => one.includes('"event":"ready"'))
      if (line !== undefined && output.includes('\n')) resolve((JSON.parse(line) as { url: string }).url)
    })
    exited.then((code) => reject(new Error(`the gateway ended with code ${code}:\n${errors}`)), reject)
  })
  // Whoever started the process learns of a failure through `ready`.
  exited.catch(() => undefined)
  return { ready, exited, logs: () => errors }
}

async function endProcess(child: ChildProcess, exited: Promise<number | null>, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal)
  const deadline = setTimeout(() => child.kill('SIGKILL'), hangsAfterMs)
  try {
    return await exited
  } finally {
    clearTimeout(deadline)
  }
}
