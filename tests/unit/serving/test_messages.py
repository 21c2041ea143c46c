"""Messages of onnxruntime as callers see them."""

import pytest

from maas.serving.messages import plain_message

SOURCE = "/onnxruntime_src/onnxruntime/core/providers/cpu/"


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        ("[ONNXRuntimeError] : 1 : FAIL : two\n  lines", "[ONNXRuntimeError] : 1 : FAIL : two lines"),
        (
            f"Exception during initialization: {SOURCE}text/string_normalizer.cc:235 "
            "onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> "
            "Failed to construct locale with name:xx",
            "Exception during initialization: Failed to construct locale with name:xx",
        ),
        (
            f"Status Message: {SOURCE}tensor/reshape_helper.h:84 onnxruntime::ReshapeHelper::ReshapeHelper(const "
            "onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) size != 0 && (a % b) == 0 was false.",
            "Status Message: size != 0 && (a % b) == 0 was false.",
        ),
        (
            f"{SOURCE}x.cc:1 virtual onnxruntime::common::Status onnxruntime::X<float>::Compute("
            "onnxruntime::OpKernelContext*) const [with T = float] k >= 0 was false",
            "k >= 0 was false",
        ),
        (f"{SOURCE}x.cc:1 std::function<void(int)> onnxruntime::F() Bad thing", "Bad thing"),
        (f"{SOURCE}x.cc:1 no signature", "no signature"),
        ("a(b) c < d", "a(b) c < d"),
        (f"{'n' * 500_000} is bad", f"{'n' * 400}… is bad"),
        (" ".join(["/onnxruntime/x.cc"] * 500_000), ("/onnxruntime/x.cc " * 500)[:4000]),
    ],
)
def test_message_without_place_in_source(message: str, plain: str) -> None:
    assert plain_message(Exception(message)) == plain
