"""ONNX files in MLServer, which has no runtime of its own for them: an `implementation` in model-settings.json."""

import onnx_session
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxRuntime(MLModel):
    """Every input to every output, through MLServer's own codec."""

    async def load(self) -> bool:
        parameters = self.settings.parameters
        self._session = onnx_session.load(parameters.uri, parameters.extra["threads"])
        self._outputs = [node.name for node in self._session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        arrays = self._session.run(self._outputs, feeds)
        outputs = [NumpyCodec.encode_output(name, array) for name, array in zip(self._outputs, arrays, strict=True)]
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs)
