/** Runs the package managers of this machine: bounded in time and output, without a shell, with what they say in the error. */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'

const longestMs = 300_000
const mostOutput = 16 * 1024 * 1024
const shownLines = 6

export interface InstallerRun {
  /** What is being installed, for the error. */
  readonly subject: string
  readonly cwd: string
}

/** What it prints. Rejects with `mcp.install_failed`. */
export function runInstaller(program: string, args: readonly string[], { subject, cwd }: InstallerRun): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { cwd, timeout: longestMs, maxBuffer: mostOutput, env: installerEnvironment(process.env) },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else
          reject(
            new TurnwardError('mcp.install_failed', {
              subject,
              why:
                error.killed === true
                  ? `\`${program}\` did not end within ${longestMs / 1000} seconds`
                  : said(program, stderr || error.message),
            }),
          )
      },
    )
  })
}

/** The absolute path of a program on the search path of the person who runs this. */
export function findOnPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Settings of the machine stay (proxies, mirrors); what would lead the installation elsewhere, or make it run code, does not. */
function installerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const leads =
    /^(?:npm_|node_options$|pip_(?:target|prefix|user|root|no_binary|editable|requirement)$|python(?:path|home|startup)$|virtual_env$|uv_(?!index|default_index|native_tls|cache|http))/i
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !leads.test(name) || /^npm_config_(?:registry|https?_proxy|proxy|noproxy|cafile|cache|userconfig)$/i.test(name),
    ),
  )
}

function said(program: string, stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.replaceAll(/\p{Cc}/gu, ' ').trimEnd())
    .filter((line) => line !== '')
  // npm and pip end with where their logs are; what went wrong stands before.
  return `\`${program}\` said: ${lines.slice(0, shownLines).join(' | ').slice(0, 600)}`
}
