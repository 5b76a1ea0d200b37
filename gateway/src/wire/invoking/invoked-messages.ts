/**
 * Messages as clients of Bedrock's InvokeModel speak it (Anthropic's and AWS's SDKs, coding agents): model and form of the answer are
 * in the path, the version of the API and its betas in the body, streams in AWS's frames, errors in AWS's words. Between the edges
 * it is Messages and nothing else.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { Dialect } from '../dialect.ts'
import { converseErrorBody, converseErrorHeaders, converseErrorIn, converseStreamError } from '../dialects/converse/errors.ts'
import { modelOfPath } from '../dialects/converse/paths.ts'
import { messages } from '../dialects/messages/messages.ts'
import { invokeStream } from '../framing/invoke-stream.ts'
import { invalid, unsupported } from '../request/fields.ts'

const version = 'anthropic_version'
const betas = 'anthropic_beta'

function invoked(operation: string, stream: boolean): Dialect {
  const { root: _root, namingHeader: _naming, countAnswer: _count, files: _files, batches: _batches, ...lens } = messages
  return {
    ...lens,
    paths: { call: `/model/{model...}/${operation}` },
    readPath: (model) => ({ operation: 'call', model: modelOfPath(model), stream, ...(stream ? { framing: invokeStream } : {}) }),
    headersInBody: { 'anthropic-beta': betas },
    readRequest(body, known) {
      settle(body)
      return messages.readRequest(body, known)
    },
    errorIn: converseErrorIn,
    errorBody: converseErrorBody,
    errorHeaders: converseErrorHeaders,
    streamError: converseStreamError,
  }
}

/** The two forms of an answer. */
export const invokedMessages: readonly Dialect[] = [invoked('invoke', false), invoked('invoke-with-response-stream', true)]

/** What the body says of its own form is taken out before anybody reads it. Bodies of other vendors' models have no version of Anthropic's. */
function settle(body: JsonObject): void {
  const given = body[version]
  if (given === undefined)
    throw unsupported('invoke', 'only bodies of Anthropic’s models, with an `anthropic_version`, are taken here', 'Use `converse`.')
  // That of Bedrock or, as Anthropic's own client writes it, that of the API: there is one of each.
  if (typeof given !== 'string' || !/^[\w.-]{1,64}$/.test(given)) throw invalid(version, 'it must be a version')
  delete body[version]
  if (body[betas] !== undefined && !isNames(body[betas])) throw invalid(betas, 'it must be a list of names')
}

function isNames(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[\w.-]{1,128}$/.test(name))
}
