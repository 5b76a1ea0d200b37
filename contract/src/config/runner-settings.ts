/** What the runners of containers need to know of a server: which image, and where the containers are made. */
import { z } from 'zod'
import { baseAddressSchema } from './addresses.ts'

/** `[registry/]name` with a tag, a digest, or both. Never neither: that would be whatever is latest. */
const imageSchema = z
  .string()
  .max(512)
  .regex(
    /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
    'name an image with its digest (`name@sha256:…`) or its tag (`name:1.2.3`)',
  )

/** `uid:gid`, both numbers and neither root. */
const containerUserSchema = z.string().regex(/^[1-9]\d{0,9}:[1-9]\d{0,9}$/, 'write `uid:gid` in numbers; root is not taken')

const containerSettings = {
  image: imageSchema,
  /** Whether an image that is not there is fetched: `missing`, or not at all. */
  pull: z.enum(['never', 'missing']).default('never'),
  /** Processors the server may use, such as 0.5. */
  cpus: z.number().min(0.01).max(1024).optional(),
  /** Who it runs as. Not set: the owner of the folders it may write to, else 65532. */
  user: containerUserSchema.optional(),
}

export const dockerSettingsSchema = z.strictObject({
  ...containerSettings,
  /** Where the Docker Engine, or what speaks its API, listens. */
  socket: z.string().startsWith('/', 'write the absolute path of a unix socket').max(107).default('/var/run/docker.sock'),
})

const absolutePath = z.string().startsWith('/', 'write an absolute path').max(4096)
const account = '/var/run/secrets/kubernetes.io/serviceaccount'
/** What the API takes as the name of an object. */
const objectNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, 'is no name of an object: small letters, digits, `-` and `.`')

export const kubernetesSettingsSchema = z.strictObject({
  ...containerSettings,
  pull: z.enum(['never', 'missing']).default('missing'),
  /** The API server. */
  api: baseAddressSchema
    .refine((text) => !text.startsWith('http:') || ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(text).hostname), {
      message: 'must be https: a token goes there, and only to this host itself may it go in the clear',
    })
    .default('https://kubernetes.default.svc'),
  /** Not set: the namespace of the account. */
  namespace: objectNameSchema.optional(),
  /** Read for each request, because it is renewed. */
  token_file: absolutePath.default(`${account}/token`),
  ca_file: absolutePath.default(`${account}/ca.crt`),
  namespace_file: absolutePath.default(`${account}/namespace`),
  /** A stronger wall than the container's, such as `gvisor`, where the cluster has one. */
  runtime_class: objectNameSchema.optional(),
  /** Secrets of the namespace with which images are fetched. */
  pull_secrets: z.array(objectNameSchema).max(8).default([]),
  /** The gateway's own pod: what it started goes when that goes. */
  owner: z.strictObject({ name: objectNameSchema, uid: z.string().min(1).max(128) }).optional(),
})
