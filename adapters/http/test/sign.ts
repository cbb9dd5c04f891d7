const encoder = new TextEncoder();

/** HMAC-SHA256, made apart from the code that checks it. */
async function sign(secret: Uint8Array<ArrayBuffer>, message: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(message)));
}

export async function githubSignature(secret: string, body: string): Promise<string> {
  const hex = Array.from(await sign(encoder.encode(secret), body), (byte) => byte.toString(16).padStart(2, "0"));
  return `sha256=${hex.join("")}`;
}

/** @param secret base64 */
export async function standardSignature(secret: string, id: string, timestamp: number, body: string): Promise<string> {
  const key = Uint8Array.from(atob(secret), (char) => char.charCodeAt(0));
  return `v1,${btoa(String.fromCharCode(...(await sign(key, `${id}.${timestamp}.${body}`))))}`;
}
