/** `Mcp-Param-*` headers of a modern call, compared with its arguments (streamable-http, "Custom Headers from Tool Parameters"). */
import { TurnwardError } from '../../core/error.ts'
import { checkParameterHeaders } from '../codec/header-values.ts'
import type { MethodCall } from './parts.ts'
import { single } from './post-headers.ts'
import type { CallRequest } from './tool-methods.ts'

/** `Mcp-Param-*` of a tool the caller is shown; for any other tool it would tell that the tool exists. */
export async function checkParameters({ parts, context, arrival }: MethodCall, call: CallRequest): Promise<void> {
  const tool = (await parts.fleet?.for(context.snapshot, context.caller).catalogue(context.gateway).catch(noCatalogue))?.resolve(call.name)
  const parameters =
    tool !== undefined && 'headerParameters' in tool
      ? (tool as { headerParameters: Parameters<typeof checkParameterHeaders>[0] }).headerParameters
      : []
  if (tool === undefined || parameters.length === 0) return
  const { tools: shown } = await parts.operations.listTools(context)
  if (!shown.some(({ name }) => name === tool.definition.name)) return
  const why = checkParameterHeaders(parameters, call.args, (name) => single(arrival.request.headers[name]))
  if (why !== undefined) throw new TurnwardError('mcp.header_mismatch', { why })
}

const noCatalogue = (): undefined => undefined
