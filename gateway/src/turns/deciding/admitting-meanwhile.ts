/**
 * What a server tells of a call while it runs, as progress and in log messages, is its words like any result, and its client may
 * read it long before the call ends. So it narrows the conversation before it is told, in the order in which it came. What
 * cannot be admitted is not told; what the contract of the tool withholds is told without words.
 */
import type { JsonObject } from '../../core/json.ts'
import { isWithheld } from '../../policy/admit.ts'
import type { CallOptions } from '../../tools/catalogue.ts'
import type { DecidedToolCall } from '../call.ts'
import { textsIn } from '../provenance/words-of-call.ts'
import { admitMeanwhile } from './admitting-tool-result.ts'
import { subjectOf } from './tool-subject.ts'

/** What waits to be told of one call. Of what comes when so much waits the latest progress is told, without words; log messages are counted. */
const mostWaiting = 100
/** Characters that are told of one call. Progress after that is told without words; log messages are counted. */
const mostWords = 100_000
/** Of what was told last: a passage may come in pieces. */
const piecesKept = 512

export interface Telling extends Pick<CallOptions, 'onProgress' | 'logs'> {
  /** Resolves when everything that came was told: the result comes after it. Never rejects. */
  readonly told: () => Promise<void>
}

/** How something is told, and what is done instead. */
interface Message {
  readonly tellIt: () => void
  /** Tells it without words. */
  readonly plainly: () => void
  /** When too much waits. */
  readonly noRoom: () => void
  /** When its words cannot be admitted. */
  readonly untold: () => void
}

/** Stands between the server of a call and whoever follows it. */
export function tellMeanwhile(call: DecidedToolCall): Telling {
  const { onProgress, logs, kind } = call.request
  const withholds = kind === 'tool_call' && isWithheld(call.snapshot.policy, [subjectOf(call.tool)])
  let telling: Promise<void> | undefined
  let waiting = 0
  let said = 0
  let pieces: readonly string[] = []
  /** The latest of what there was no room for. */
  let late: (() => void) | undefined

  async function admitted(words: readonly string[]): Promise<void> {
    pieces = [...pieces, ...words]
    await admitMeanwhile({ ...call, execution: { outcome: 'task', result: { content: [...pieces] } } })
    let kept = 0
    pieces = pieces.slice(pieces.findLastIndex((piece) => (kept += piece.length) > piecesKept) + 1)
  }

  function tell(words: readonly string[], { tellIt, plainly, noRoom, untold }: Message): void {
    said += words.reduce((length, text) => length + text.length, 0)
    const isPlain = words.length > 0 && (withholds || said > mostWords)
    const next = isPlain ? plainly : tellIt
    if (waiting >= mostWaiting) return noRoom()
    if (telling === undefined && (isPlain || words.length === 0)) return next()
    waiting += 1
    telling = (telling ?? Promise.resolve())
      .then(() => (isPlain || words.length === 0 ? undefined : admitted(words)))
      .then(next)
      // Whoever cannot be told under a label is not told.
      .catch(untold)
      .finally(() => {
        waiting -= 1
        if (waiting > 0) return
        telling = undefined
        late?.()
        late = undefined
      })
  }

  return {
    onProgress:
      onProgress &&
      ((params) => {
        const { progressToken: _ours, ...told } = params
        const plainly = (): void => onProgress(withoutWords(params))
        tell(
          textsIn(told).filter((text) => text !== ''),
          {
            tellIt: () => onProgress(params),
            plainly,
            noRoom: () => {
              late = plainly
            },
            untold: () => {},
          },
        )
      }),
    logs: logs && {
      ...logs,
      tell(message) {
        const leaveOut = (): void => logs.leaveOut(message)
        tell(textsIn({ ...message, level: null }), {
          tellIt: () => logs.tell(message),
          plainly: leaveOut,
          noRoom: leaveOut,
          untold: leaveOut,
        })
      },
    },
    told: async () => telling,
  }
}

function withoutWords({ progressToken, progress, total }: JsonObject): JsonObject {
  return {
    ...(progressToken === undefined ? {} : { progressToken }),
    ...(progress === undefined ? {} : { progress }),
    ...(typeof total === 'number' ? { total } : {}),
  }
}
