/** What the owner and its workers say to each other besides state and log. Types only. */
import type { JsonValue } from '../../core/json.ts'
import type { LogLevel } from '../../telemetry/logger.ts'
import type { GivenConfig } from './followed-config.ts'

/** The first thing a worker hears. */
export interface Hello {
  /** Which worker it is, from 0. */
  readonly worker: number
  readonly processes: number
  readonly level: LogLevel
  readonly config: GivenConfig
  /** Why the decision log cannot be written, if it cannot. */
  readonly audit: string | null
}

/** What changes while a worker runs. */
export interface Weather {
  readonly audit: string | null
  readonly problem: string | null
}

/** The worker has not started. */
export interface NotStarted {
  /** An error as data. */
  readonly error: {
    readonly code: string
    readonly text: string
    readonly subject: string | null
    readonly why: string | null
    readonly fix: string
  }
}

/** A message of one worker to another, by name, or to all others. */
export interface PeerMessage {
  readonly to: string | null
  readonly kind: string
  readonly message: JsonValue
}

export interface PeerDelivery {
  readonly from: string
  readonly kind: string
  readonly message: JsonValue
}
