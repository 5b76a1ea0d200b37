/** What servers have in common that something else runs for the gateway: an engine a container, a cluster a pod. */
import type { Readable, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { RunningServer } from './runner.ts'

/** The streams of one, over the connection that is attached to it. */
export interface RemoteStreams {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>
  /** Ends the connection at once. */
  destroy(): void
}

/** One of them, from its start to its removal. */
export interface RemoteLife {
  /** Resolves with why it ended, when nothing of it is left. `detached`: its streams are over, and so it is of no use. */
  watch(detached: Promise<void>): Promise<string>
  stop(graceMs: number, ended: Promise<string>, endInput: () => void, cutOff: () => void): Promise<void>
}

/** It as any other server. Asked to stop more than once, it stops once. */
export function remoteServer(life: RemoteLife, streams: RemoteStreams, isBounded: boolean): RunningServer {
  const ended = life.watch(streams.closed)
  let stopping: Promise<void> | undefined
  return {
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    pid: 0,
    isBounded,
    ended,
    stop: (graceMs) =>
      (stopping ??= life.stop(
        graceMs,
        ended,
        () => streams.stdin.end(),
        () => streams.destroy(),
      )),
  }
}

/** Whether it has ended by then. */
export function hasEnded(ended: Promise<string>, withinMs: number): Promise<boolean> {
  return Promise.race([ended.then(() => true), wait(withinMs, false, { ref: false })])
}

/** The first step of a stop: its input ends, as MCP wants it (2025-11-25, lifecycle, stdio shutdown), and it may end by itself. */
export function endsByItself(graceMs: number, ended: Promise<string>, endInput: () => void): Promise<boolean> {
  endInput()
  return hasEnded(ended, Math.min(graceMs / 2, 500))
}

const removeTries = 5

/** Removes it, with a few tries; false when it may still be there. `gone`: statuses that say it needs no removal. Never rejects. */
export async function isRemoved(ask: () => Promise<{ readonly status: number }>, gone: readonly number[]): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined && (answer.status < 300 || gone.includes(answer.status))) return true
    if (tries >= removeTries) return false
    await wait(100 * 2 ** tries)
  }
}
