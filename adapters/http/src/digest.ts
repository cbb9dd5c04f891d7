const encoder = new TextEncoder();

/** SHA-256 of a text's UTF-8, in hexadecimal. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether a signature is the HMAC-SHA256 of a message. The platform compares in constant time.
 * @param secret must not be empty
 */
export async function isHmacSha256(
  secret: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, signature, message);
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  // Copied, since the types of some runtimes do not say which kind of buffer it is.
  return new Uint8Array(encoder.encode(text));
}

/** @returns undefined when it is not hexadecimal of whole bytes */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^([0-9a-f]{2})+$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @returns undefined when it is not base64 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
