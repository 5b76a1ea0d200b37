/** The result of a tool (MCP, `CallToolResult`) as the model and the client of a responses request are told it. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../../core/json.ts'
import { objectsOf } from '../../../request/fields.ts'

/** As one text. What is none is named. */
export function textOfResult({ content, structuredContent }: JsonObject): string {
  const parts = objectsOf(content)
  if (parts.length === 0 && isObject(structuredContent)) return JSON.stringify(structuredContent)
  return parts.map(textOfPart).join('\n')
}

function textOfPart(part: JsonObject): string {
  if (part.type === 'text') return asText(part.text)
  if (part.type === 'resource_link') return `${asText(part.name)}: ${asText(part.uri)}`
  if (part.type === 'resource' && isObject(part.resource) && typeof part.resource.text === 'string') return part.resource.text
  const kind = asText(part.mimeType) || (isObject(part.resource) ? asText(part.resource.mimeType) : '')
  return `[${asText(part.type)}${kind === '' ? '' : ` ${kind}`}]`
}

/** As the output of a function: pictures stay pictures. */
export function outputOfResult(result: JsonObject): JsonValue {
  const parts = objectsOf(result.content)
  if (!parts.some(isPicture)) return textOfResult(result)
  return parts.map((part) =>
    isPicture(part)
      ? { type: 'input_image', detail: 'auto', image_url: `data:${asText(part.mimeType)};base64,${asText(part.data)}` }
      : { type: 'input_text', text: textOfPart(part) },
  )
}

function isPicture({ type, data, mimeType }: JsonObject): boolean {
  return type === 'image' && typeof data === 'string' && typeof mimeType === 'string'
}
