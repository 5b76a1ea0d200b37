/** Paths of vendors that clients know and that nothing stands behind here: refused by name, with what to do instead. A table: one line each. */

export interface RefusedPath {
  readonly path: string
  readonly why: string
}

const shared = 'what a vendor keeps under the credential that callers share, every one of them could read'
const unseen = 'what it would run could not be seen and decided here'

const below = ({ path, why }: RefusedPath): readonly RefusedPath[] => [
  { path, why },
  { path: `${path}/{rest...}`, why },
]

export const refusedPaths: readonly RefusedPath[] = [
  { path: '/v1/uploads', why: 'files are taken whole: send them to `/v1/files`' },
  { path: '/v1beta/files', why: `${shared}: send files in the request itself` },
  { path: '/upload/v1beta/files', why: `${shared}: send files in the request itself` },
  { path: '/v1beta/batches', why: 'batches are made at `/v1/batches` or `/v1/messages/batches`' },
  { path: '/v1/vector_stores', why: shared },
  { path: '/v1/assistants', why: `${unseen}: use responses` },
  { path: '/v1/threads', why: `${unseen}: use responses` },
  { path: '/v1/containers', why: unseen },
  { path: '/v1/fine_tuning/jobs', why: shared },
].flatMap(below)
