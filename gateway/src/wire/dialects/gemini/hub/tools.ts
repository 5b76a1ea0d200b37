/** Tool definitions and the choice among them. */
import { isObject, type JsonObject } from '../../../../core/json.ts'
import { acceptedName } from '../../../hub/accepted-names.ts'
import type { HubRequest, HubTool, HubToolChoice } from '../../../hub/conversation.ts'
import { given, objectOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import { optionalObjects, requireName, unsupported } from '../../../request/fields.ts'
import { jsonSchemaOf } from './schemas.ts'

/** Throws `request.invalid` naming the tool. */
export function readTools(body: JsonObject): HubTool[] {
  return optionalObjects(body.tools, 'tools').flatMap((tool, index) =>
    Object.keys(tool).flatMap((key): HubTool[] => {
      const at = `tools[${index}].${key}`
      if (key !== 'functionDeclarations')
        return [
          {
            kind: 'native',
            family: 'google',
            called: `the tool ${tag(key)}`,
            value: { [key]: tool[key] ?? null },
            at,
            runs: key === 'computerUse' ? 'client' : 'vendor',
          },
        ]
      return optionalObjects(tool[key], at).map((made, place) => {
        const schema = objectOf(made.parametersJsonSchema)
        const own = objectOf(made.parameters)
        return {
          kind: 'function',
          name: requireName(made.name, `${at}[${place}].name`),
          description: given(made, 'description'),
          schema: schema ?? (own === undefined ? undefined : jsonSchemaOf(own)),
          strict: undefined,
          at: `${at}[${place}]`,
        }
      })
    }),
  )
}

export function readChoice(body: JsonObject): HubToolChoice | undefined {
  const config = objectOf(objectOf(body.toolConfig)?.functionCallingConfig)
  if (config === undefined) return undefined
  const mode = stringOf(config.mode) ?? 'AUTO'
  const names = Array.isArray(config.allowedFunctionNames) ? config.allowedFunctionNames.filter((name) => typeof name === 'string') : []
  if (mode === 'NONE') return { mode: 'none' }
  if (mode === 'ANY' && names.length === 1 && names[0] !== undefined) return { mode: 'tool', name: names[0] }
  if (names.length > 0) return { mode: 'native', family: 'google', called: 'a choice among some of the functions', value: config }
  if (mode === 'ANY') return { mode: 'required' }
  // Calls that keep to their schema are what everybody else gives without being asked.
  if (mode === 'AUTO' || mode === 'VALIDATED' || mode === 'MODE_UNSPECIFIED') return { mode: 'auto' }
  return { mode: 'native', family: 'google', called: `the mode ${tag(mode)}`, value: config }
}

const modes = { auto: 'AUTO', none: 'NONE', required: 'ANY' } as const

/** `tools` and `toolConfig`. */
export function writeTools({ tools, choice, parallelCalls }: HubRequest): JsonObject {
  if (tools.length === 0) return {}
  if (parallelCalls === false)
    throw unsupported('parallel_tool_calls', 'Gemini cannot be held to one call at a time', 'Leave it out, and take several calls.')
  const functions = tools.flatMap((tool) => (tool.kind === 'function' ? [writeTool(tool)] : []))
  const natives = tools.flatMap((tool): JsonObject[] => {
    if (tool.kind === 'function') return []
    if (tool.family === 'google') return [tool.value]
    throw unsupported(tool.at, `${tool.called} has no counterpart in the Gemini API`)
  })
  const written: JsonObject = { tools: [...(functions.length === 0 ? [] : [{ functionDeclarations: functions }]), ...natives] }
  if (choice !== undefined) written.toolConfig = { functionCallingConfig: writeChoice(choice) }
  return written
}

function writeTool(tool: HubTool & { readonly kind: 'function' }): JsonObject {
  const { schema, description } = tool
  const takesNothing = schema === undefined || (schema.type === 'object' && Object.keys(objectOf(schema.properties) ?? {}).length === 0)
  return {
    name: geminiName(tool.name, tool.at),
    // The API refuses a function without a description.
    description: description ?? tool.name,
    ...(takesNothing ? {} : { parametersJsonSchema: schema }),
  }
}

function writeChoice(choice: HubToolChoice): JsonObject {
  if (choice.mode === 'tool') return { mode: 'ANY', allowedFunctionNames: [geminiName(choice.name, 'tool_choice')] }
  if (choice.mode !== 'native') return { mode: modes[choice.mode] }
  if (choice.family === 'google' && isObject(choice.value)) return choice.value
  throw unsupported('tool_choice', `${choice.called} has no counterpart in the Gemini API`)
}

const maxName = 128

/** The name of a tool as Google takes it: it begins with a letter or underscore. Throws `request.unsupported` for one it would refuse. */
export function geminiName(name: string, at: string): string {
  const written = acceptedName(name)
  if (written.length > maxName || !/^[a-zA-Z_]/.test(written))
    throw unsupported(
      at,
      `the Gemini API takes names of up to ${maxName} characters that begin with a letter or underscore`,
      'Name the tool so.',
    )
  return written
}
