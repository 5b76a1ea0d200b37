/** How a stdio MCP server is started and ended. One file per runner; `bubblewrap` is the default. */
import type { Readable, Writable } from 'node:stream'
import type { McpServer } from '../../config/snapshot.ts'
import type { Logger } from '../../core/logger.ts'

export interface RunningServer {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** 0 where the server is no process of this host. */
  readonly pid: number
  /** False when memory and processes of the whole server are not bounded, which its configuration accepts. */
  readonly isBounded: boolean
  /** Resolves when the process has ended, with why (`exit 1`, `signal SIGKILL`, `memory limit`). */
  readonly ended: Promise<string>
  /** Ends the whole process group: asks first, kills after `graceMs`. Resolves when nothing is left. */
  stop(graceMs: number): Promise<void>
}

export interface RunnerOptions {
  readonly server: McpServer
  /** Folder for this server's private home and sockets; created by the runner, removed on stop. */
  readonly workDir: string
  readonly logger: Logger
}

export interface Runner {
  readonly name: 'bubblewrap' | 'process' | 'docker' | 'kubernetes'
  /** `undefined` when it can be used here, or for this server, else why not and what to do. */
  available(server?: McpServer): Promise<string | undefined>
  /** The exact command line that would run, for the administrator. */
  describe(options: RunnerOptions): readonly string[]
  start(options: RunnerOptions): Promise<RunningServer>
}
