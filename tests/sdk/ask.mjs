// Asks a server by the official client of a vendor, and says as one line of JSON what that client understood:
//   node ask.mjs openai|anthropic|gemini URL KEY MODEL
// The conversation is the one of tests/it/kinds.rs.
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

const [kind, url, key, model] = process.argv.slice(2);
const said = { models: [], text: '', reasoning: '', finish: null, usage: null, error: null };
const system = 'Be brief.';
const conversation = [
  { role: 'user', content: 'hi' },
  { role: 'assistant', content: 'Hello' },
  { role: 'user', content: 'Who are you?', image: true },
];
const image =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC';
// The messages, with the one that has an image as a vendor wants its parts.
const told = (parts) => conversation.map(({ role, content, image }) => ({ role, content: image ? parts(content) : content }));

const by = {
  async openai() {
    const client = new OpenAI({ apiKey: key, baseURL: url, maxRetries: 0 });
    for await (const each of client.models.list()) said.models.push(each.id);
    const stream = await client.chat.completions.create({
      model,
      max_tokens: 100,
      messages: [
        { role: 'system', content: system },
        ...told((text) => [
          { type: 'text', text },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
        ]),
      ],
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const event of stream) {
      const choice = event.choices[0];
      said.text += choice?.delta.content ?? '';
      said.reasoning += choice?.delta.reasoning_content ?? '';
      said.finish = choice?.finish_reason ?? said.finish;
      const u = event.usage;
      if (u) {
        said.usage = {
          prompt: u.prompt_tokens,
          cached: u.prompt_tokens_details?.cached_tokens ?? 0,
          completion: u.completion_tokens,
          reasoning: u.completion_tokens_details?.reasoning_tokens ?? 0,
        };
      }
    }
  },
  async anthropic() {
    const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
    for await (const each of client.models.list()) said.models.push(each.id);
    const source = { type: 'base64', media_type: 'image/png', data: image };
    const messages = told((text) => [{ type: 'image', source }, { type: 'text', text }]);
    const stream = client.messages.stream({ model, max_tokens: 100, system, messages });
    stream.on('text', (text) => (said.text += text));
    stream.on('thinking', (text) => (said.reasoning += text));
    const message = await stream.finalMessage();
    said.finish = message.stop_reason;
    const u = message.usage;
    const cached = u.cache_read_input_tokens ?? 0;
    said.usage = {
      prompt: u.input_tokens + (u.cache_creation_input_tokens ?? 0) + cached,
      cached,
      completion: u.output_tokens,
      reasoning: u.output_tokens_details?.thinking_tokens ?? 0,
    };
  },
  async gemini() {
    const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
    for await (const each of await client.models.list()) said.models.push(each.name.replace('models/', ''));
    const stream = await client.models.generateContentStream({
      model,
      contents: conversation.map((m) => ({
        role: m.role === 'user' ? 'user' : 'model',
        parts: [...(m.image ? [{ inlineData: { mimeType: 'image/png', data: image } }] : []), { text: m.content }],
      })),
      config: { systemInstruction: system, maxOutputTokens: 100 },
    });
    for await (const event of stream) {
      const candidate = event.candidates?.[0];
      for (const part of candidate?.content?.parts ?? []) said[part.thought ? 'reasoning' : 'text'] += part.text ?? '';
      said.finish = candidate?.finishReason ?? said.finish;
      const u = event.usageMetadata;
      if (u) {
        said.usage = {
          prompt: u.promptTokenCount,
          cached: u.cachedContentTokenCount ?? 0,
          completion: (u.candidatesTokenCount ?? 0) + (u.thoughtsTokenCount ?? 0),
          reasoning: u.thoughtsTokenCount ?? 0,
        };
      }
    }
  },
};

try {
  await by[kind]();
} catch (error) {
  said.error = { class: error.constructor.name, status: error.status ?? null, message: error.message };
}
console.log(JSON.stringify(said));
