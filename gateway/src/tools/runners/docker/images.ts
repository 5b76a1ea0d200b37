/** Whether an image is there, and fetching it where the configuration says so. Nothing is ever fetched without being told. */
import { isObject } from '../../../core/json.ts'
import type { DockerSettings } from './container-spec.ts'
import { EngineError, messageOf, type EngineApi } from './engine-api.ts'

/** Fetches under way, by socket and image: a start that gave up waiting leaves it to the next one. */
const fetching = new Map<string, Promise<void>>()

/** Resolves when the image is there. Rejects with EngineError. */
export async function haveImage(api: EngineApi, { image, pull, socket }: DockerSettings): Promise<void> {
  const { status, body } = await api.ask('GET', `/images/${encodeURIComponent(image)}/json`)
  if (status === 200) return
  if (status !== 404) throw new EngineError(`the Docker Engine answered ${status}: ${messageOf(body)}`)
  if (pull === 'never') throw new EngineError(`the image ${image} is not there: \`docker pull ${image}\`, or set \`docker.pull: missing\``)
  const key = `${socket} ${image}`
  const fetched = fetching.get(key) ?? fetchImage(api, image)
  fetching.set(key, fetched)
  try {
    await fetched
  } finally {
    fetching.delete(key)
  }
}

async function fetchImage(api: EngineApi, image: string): Promise<void> {
  let failure: string | undefined
  await api.lines('POST', `/images/create?fromImage=${encodeURIComponent(image)}`, (line) => {
    // A failure after the first bytes comes in an answer that began with success.
    if (isObject(line) && typeof line.error === 'string') failure = messageOf({ message: line.error })
  })
  if (failure !== undefined) throw new EngineError(`the image ${image} could not be fetched: ${failure}`)
}
