"""The same as gateway.mjs with the official clients for Python: python gateway.py URL KEY"""
import json
import sys

import anthropic
import openai

url, key = sys.argv[1:]
model, messages = "openai/fake-1", [{"role": "user", "content": "hi"}]
client = openai.OpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0)
claude = anthropic.Anthropic(api_key=key, base_url=url, max_retries=0)
said = {}


def refused(call):
    """What an error is to its client: the name of its class, and its status."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return [type(error).__name__, getattr(error, "status_code", None)]
    return None


whole = client.chat.completions.create(model=model, messages=messages)
said["whole"] = [whole.choices[0].message.content, whole.usage.completion_tokens]
stream = client.chat.completions.create(model=model, messages=messages, stream=True)
said["stream"] = "".join(event.choices[0].delta.content or "" for event in stream)
tools = [{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]
called = client.chat.completions.create(model=model, messages=messages, tools=tools, response_format={"type": "json_object"})
said["called"] = called.choices[0].message.content
response = client.responses.create(model=model, input="hi")
said["response"] = [response.output_text, response.usage.output_tokens]
said["events"] = [event.type for event in client.responses.create(model=model, input="hi", stream=True)]
said["completion"] = client.completions.create(model=model, prompt="hi").choices[0].text
embedding = client.embeddings.create(model="openai/text-embedding-fake", input="x", encoding_format="float")
said["embedding"] = embedding.data[0].embedding
said["models"] = [each.id for each in client.models.list()]
said["model"] = client.models.retrieve(model).id
said["heard"] = client.audio.transcriptions.create(model=model, file=("a.mp3", b"sound")).text
said["spoken"] = client.audio.speech.create(model=model, input="x", voice="alloy").content.decode()

message = claude.messages.create(model=model, max_tokens=50, messages=messages)
said["message"] = [message.content[0].text, message.stop_reason, message.usage.output_tokens]
with claude.messages.stream(model=model, max_tokens=50, messages=messages) as words:
    said["words"] = words.get_final_text()

robot = [{"role": "robot", "content": "x"}]
said["errors"] = {
    "wrong": refused(lambda: client.chat.completions.create(model=model, messages=messages, temperature=9)),
    "nobody": refused(lambda: openai.OpenAI(api_key="parlor_nobody", base_url=f"{url}/v1", max_retries=0).models.list()),
    "missing": refused(lambda: client.chat.completions.create(model="openai/none", messages=messages)),
    "broken": refused(lambda: client.chat.completions.create(model=model, messages=messages)),
    "anthropicBroken": refused(lambda: claude.messages.create(model=model, max_tokens=5, messages=messages)),
    "busy": refused(lambda: client.chat.completions.create(model=model, messages=messages)),
    "anthropicBusy": refused(lambda: claude.messages.create(model=model, max_tokens=5, messages=messages)),
    "anthropicWrong": refused(lambda: claude.messages.create(model=model, max_tokens=50, messages=robot)),
    "anthropicNobody": refused(
        lambda: anthropic.Anthropic(api_key="parlor_nobody", base_url=url, max_retries=0).messages.create(
            model=model, max_tokens=5, messages=messages
        )
    ),
    "anthropicMissing": refused(lambda: claude.messages.create(model="none", max_tokens=5, messages=messages)),
}
print(json.dumps(said))
