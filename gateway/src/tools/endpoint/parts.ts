/** What every file of the endpoint is given: operations, keys, streams that are open. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Caller } from '../../core/principal.ts'
import type { Fleet } from '../catalogue.ts'
import type { RpcRequest } from '../codec/json-rpc.ts'
import type { McpContext, McpOperations } from '../operations.ts'
import type { Sealer } from '../seal.ts'
import type { OpenStreams } from './open-streams.ts'
import type { McpWishes } from '../../state/state-values.ts'
import type { LogLevel } from '../log-levels.ts'
import type { AskClient } from './asking.ts'
import type { MessageStream } from './reply.ts'

export interface EndpointParts {
  readonly operations: McpOperations
  readonly clock: Clock
  readonly logger: Logger
  readonly cursors: Sealer
  readonly streams: OpenStreams
  /** Where a tool's `x-mcp-header` parameters are found; without it they are not checked. */
  readonly fleet: Pick<Fleet, 'for'> | undefined
}

/** One HTTP request whose caller is known. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly caller: Caller
  readonly snapshot: Snapshot
  readonly gateway: string
  /** This request needs the servers of its snapshot no longer, though it may go on: a stream only announces. */
  readonly release: () => void
  /** Cancelled when whoever calls is shut out: their client is told why, and what runs for them ends. */
  readonly cut: CancelSignal
}

export interface SessionWishes {
  change(change: (before: McpWishes) => McpWishes): Promise<void>
}

/** One request to a method, whose caller may open the gateway. */
export interface MethodCall {
  readonly parts: EndpointParts
  readonly arrival: Arrival
  readonly context: McpContext
  readonly message: RpcRequest
  readonly signal: CancelSignal
  /** Undefined inside a batch, where nothing but results can be sent. */
  readonly reply: MessageStream | undefined
  /** What the session of a legacy client wants to be told. */
  readonly wishes?: SessionWishes | undefined
  /** Least severe log messages the client wants while the request runs; undefined: none. */
  readonly logLevel?: LogLevel | undefined
  /** Asks the client something meanwhile; undefined where that cannot be done. */
  readonly ask?: AskClient | undefined
}
